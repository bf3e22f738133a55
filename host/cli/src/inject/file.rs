//! The file that a text with secrets is written to. A regular file is replaced in one step, so that whoever reads it
//! gets the old text or the new one, and never a part.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use vaultlet_host::Kind;

use crate::failure::Failure;
use crate::system::{is_foreign_link, standard_stream};

/// Links that are followed before it must be a circle.
const LINKS_MAX: usize = 40;

/// Where to write.
pub(super) enum Target {
    File(NewFile),
    Stream(Stream),
}

/// A file that is made, or replaced.
pub(super) struct NewFile(PathBuf);

/// A device or a pipe, which is written to.
pub(super) struct Stream {
    path: PathBuf,
    file: File,
}

impl Target {
    /// Follows links, as opening the file would, so that a link stays one.
    pub(super) fn find(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| failed(path, &error);
        if let Ok(metadata) = fs::metadata(path) {
            if metadata.is_dir() {
                return Err(failed(io::ErrorKind::IsADirectory.into()));
            }
            let stream = match descriptor(path) {
                _ if !metadata.is_file() => Some(OpenOptions::new().write(true).open(path)),
                Some(descriptor) => Some(open_again(&descriptor)),
                None => None,
            };
            if let Some(file) = stream {
                let file = file.map_err(failed)?;
                return Ok(Self::Stream(Stream { path: path.to_owned(), file }));
            }
        }
        let mut end = path.to_owned();
        for _ in 0..LINKS_MAX {
            match fs::symlink_metadata(&end) {
                Ok(link) if link.is_symlink() => {
                    check(&end, &link).map_err(failed)?;
                    let to = fs::read_link(&end).map_err(failed)?;
                    end = folder(&end).join(to);
                }
                _ => {
                    // Said before anything is fetched.
                    fs::metadata(folder(&end)).map_err(failed)?;
                    return Ok(Self::File(NewFile(end)));
                }
            }
        }
        Err(failed(io::Error::other("too many links lead to it")))
    }
}

/// The descriptor of a process that a path such as `/dev/stdout` leads to, as its path below `/proc`.
fn descriptor(path: &Path) -> Option<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        let folder = fs::canonicalize(folder(&path)).ok()?;
        if folder.starts_with("/proc") && folder.file_name().is_some_and(|name| name == "fd") {
            return Some(folder.join(path.file_name()?));
        }
        path = folder.join(fs::read_link(&path).ok()?);
    }
    None
}

/// Opens what a descriptor is open for. A file there is not replaced, as whoever opened it goes on with it, and the
/// descriptor itself is written to, which has the place in the file.
fn open_again(descriptor: &Path) -> io::Result<File> {
    let own = Path::new("/proc").join(std::process::id().to_string()).join("fd");
    match descriptor.strip_prefix(own).ok().and_then(Path::to_str) {
        Some("1") => standard_stream(1),
        Some("2") => standard_stream(2),
        _ => {
            Err(io::Error::other("it is an open file; write to standard output, and redirect that"))
        }
    }
}

/// Fails if a link may be another user's trap: the system itself follows none such where `protected_symlinks` is
/// set. <https://www.kernel.org/doc/html/latest/admin-guide/sysctl/fs.html#protected-symlinks>
fn check(path: &Path, link: &fs::Metadata) -> io::Result<()> {
    let folder = fs::metadata(folder(path))?;
    if is_foreign_link(link, &folder) {
        return Err(io::Error::other("a link in a folder for everybody is another user's"));
    }
    Ok(())
}

impl NewFile {
    /// Writes a new file of mode 0600 beside the old one, and puts it in its place.
    pub(super) fn replace(self, text: &[u8]) -> Result<(), Failure> {
        let write = || {
            let folder = folder(&self.0);
            let mut file = tempfile::Builder::new().prefix(".vaultlet-").tempfile_in(folder)?;
            file.write_all(text)?;
            file.as_file().sync_all()?;
            file.persist(&self.0)?;
            // So that the new name outlives a crash; there are file systems that cannot.
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
            Ok(())
        };
        write().map_err(|error| failed(&self.0, &error))
    }
}

impl Stream {
    pub(super) fn write(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.file.write_all(text).map_err(|error| failed(&self.path, &error))
    }
}

/// The folder of a file.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    let message = format!("writing `{}`: {}", path.display(), error.to_string().to_lowercase());
    Failure::own(Kind::Unavailable, "output-failed", message, "correct `--out-file`, or the folder")
}
