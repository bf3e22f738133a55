//! Secrets in files that lie in memory: for `as=file` in a folder of a memory file system, which is removed at
//! the end; for `as=fd` without a name, as long as somebody has it open.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, memfd_create, statfs};
use tempfile::TempDir;
use vaultlet_host::Kind;

use crate::failure::Failure;

/// The file systems that lie in memory: tmpfs and ramfs.
/// <https://man7.org/linux/man-pages/man2/statfs.2.html>
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];

/// Files that variables name.
#[derive(Default)]
pub(crate) struct Files {
    folder: Option<TempDir>,
    descriptors: Vec<OwnedFd>,
}

impl Files {
    /// The path of a new file with this content, which nobody else may read.
    pub(super) fn file(&mut self, name: &OsStr, content: &[u8]) -> Result<PathBuf, Failure> {
        let failed = |error: io::Error| failed(name, &error);
        let folder = match &self.folder {
            Some(folder) => folder,
            None => self.folder.insert(folder().map_err(failed)?),
        };
        let path = folder.path().join(name);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        file.write_all(content).map_err(failed)?;
        Ok(path)
    }

    /// The path of a descriptor with this content, which the command inherits. Each time that the path is opened
    /// it is read from its beginning.
    pub(super) fn descriptor(&mut self, name: &OsStr, content: &[u8]) -> Result<PathBuf, Failure> {
        let failed = |error: io::Error| failed(name, &error);
        let descriptor =
            memfd_create("vaultlet", MemfdFlags::empty()).map_err(|e| failed(e.into()))?;
        let mut file = File::from(descriptor);
        file.write_all(content).map_err(failed)?;
        let descriptor = OwnedFd::from(file);
        let path = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
        self.descriptors.push(descriptor);
        Ok(path.into())
    }

    /// Whether this process must outlive the command, to remove files.
    pub(super) fn must_be_kept(&self) -> bool {
        self.folder.is_some()
    }
}

/// A folder on a memory file system, which is removed when it is dropped.
fn folder() -> io::Result<TempDir> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let places = runtime.into_iter().chain(["/dev/shm", "/run", "/tmp"].map(PathBuf::from));
    let mut error = io::Error::other("there is no memory file system");
    for place in places.filter(|place| is_in_memory(place)) {
        // The folder of `tempfile` is for this user alone.
        match tempfile::Builder::new().prefix("vaultlet-").tempdir_in(place) {
            Ok(folder) => return Ok(folder),
            Err(failed) => error = failed,
        }
    }
    Err(error)
}

fn is_in_memory(place: &Path) -> bool {
    statfs(place).is_ok_and(|system| IN_MEMORY.contains(&system.f_type))
}

fn failed(name: &OsStr, error: &io::Error) -> Failure {
    let name = name.to_string_lossy();
    let message = format!("making the file of `{name}`: {}", error.to_string().to_lowercase());
    let help = "make `/dev/shm` a memory file system that may be written to, or leave `as=` out";
    Failure::own(Kind::Configuration, "file-failed", message, help)
}
