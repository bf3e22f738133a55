//! Linux and macOS.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileType as FileKind, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{
    FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, fstat};
use rustix::process::{Resource, geteuid, getrlimit};

/// What all users may read and run, and its owner alone change.
const FOR_ALL: u32 = 0o755;

/// The sticky bit: in such a folder, everybody makes files and nobody removes those of others.
const STICKY: u32 = 0o1000;
const WRITABLE_BY_ALL: u32 = 0o002;

/// Prepares this process. Call this before there is another thread.
pub(crate) fn prepare() {}

/// The bytes of a text of the system.
pub(crate) fn bytes(text: &OsStr) -> &[u8] {
    text.as_bytes()
}

/// The text of the system that consists of these bytes.
pub(crate) fn text(bytes: &[u8]) -> Option<OsString> {
    Some(OsString::from_vec(bytes.to_vec()))
}

/// The program of this name in a folder.
pub(crate) fn program_in(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = folder.join(name);
    let metadata = path.metadata().ok()?;
    (metadata.is_file() && metadata.permissions().mode() & 0o111 != 0).then_some(path)
}

/// Whether something in a folder is a socket.
pub(crate) fn is_socket(kind: FileKind) -> bool {
    kind.is_socket()
}

/// Whether something in a folder is a disk.
pub(crate) fn is_disk(kind: FileKind) -> bool {
    kind.is_block_device()
}

/// Lets all users read and run a file.
pub(crate) fn let_all_run(file: &File) -> io::Result<()> {
    file.set_permissions(fs::Permissions::from_mode(FOR_ALL))
}

/// Gives a new file this mode.
pub(crate) fn set_mode(options: &mut OpenOptions, mode: u32) {
    options.mode(mode);
}

/// A file in memory, which has no path.
#[cfg(target_os = "linux")]
pub(crate) fn memory_file(name: &str) -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    Ok(memfd_create(name, MemfdFlags::CLOEXEC)?.into())
}

/// Fails: only Linux has files in memory.
#[cfg(not(target_os = "linux"))]
pub(crate) fn memory_file(_: &str) -> io::Result<File> {
    Err(io::Error::other("this system has no files in memory"))
}

/// A file without a path with nothing in it, in memory where the system has such.
pub(crate) fn unnamed_file(name: &str) -> io::Result<File> {
    if cfg!(target_os = "linux") { memory_file(name) } else { tempfile::tempfile() }
}

/// Whether a folder is on a file system that lies in memory: tmpfs or ramfs.
/// <https://man7.org/linux/man-pages/man2/statfs.2.html>
#[cfg(target_os = "linux")]
pub(crate) fn is_in_memory(place: &Path) -> bool {
    const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];
    rustix::fs::statfs(place).is_ok_and(|system| IN_MEMORY.contains(&system.f_type))
}

/// No: only Linux has such file systems.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_in_memory(_: &Path) -> bool {
    false
}

/// Whether a link may be another user's trap: it lies in a folder in which everybody makes files, and is neither ours
/// nor the folder's owner's.
pub(crate) fn is_foreign_link(link: &Metadata, folder: &Metadata) -> bool {
    let is_for_all = folder.mode() & STICKY != 0 && folder.mode() & WRITABLE_BY_ALL != 0;
    is_for_all && link.uid() != geteuid().as_raw() && link.uid() != folder.uid()
}

/// Our standard output (1) or standard error (2), as a file.
pub(crate) fn standard_stream(number: u8) -> io::Result<File> {
    let stream = match number {
        1 => io::stdout().as_fd().try_clone_to_owned(),
        _ => io::stderr().as_fd().try_clone_to_owned(),
    };
    stream.map(File::from)
}

/// Whether a file is what our standard output leads to.
pub(crate) fn is_stdout(file: &File) -> bool {
    let (Ok(file), Ok(stdout)) = (fstat(file), fstat(io::stdout().as_fd())) else { return false };
    (file.st_dev, file.st_ino) == (stdout.st_dev, stdout.st_ino)
}

/// Whether our standard output is a pipe.
pub(crate) fn writes_to_pipe() -> bool {
    fstat(io::stdout()).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_fifo())
}

/// A number that nobody can guess.
pub(crate) fn random() -> io::Result<u128> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(u128::from_ne_bytes(bytes))
}

/// Limits of this process, of which each may be none.
pub(crate) struct Limits {
    pub(crate) descriptors: Option<u64>,
    /// How many descriptors are open.
    pub(crate) open: u64,
    /// Bytes of address space.
    pub(crate) addresses: Option<u64>,
    /// Processes and threads of this user.
    pub(crate) processes: Option<u64>,
}

impl Limits {
    pub(crate) fn of_process() -> Self {
        let limit = |resource| getrlimit(resource).current;
        // On macOS the first is not there.
        let open = ["/proc/self/fd", "/dev/fd"].into_iter().find_map(|it| fs::read_dir(it).ok());
        let open = open.map_or(0, |it| u64::try_from(it.count()).unwrap_or(0));
        Self {
            descriptors: limit(Resource::Nofile),
            open,
            addresses: limit(Resource::As),
            processes: limit(Resource::Nproc),
        }
    }
}
