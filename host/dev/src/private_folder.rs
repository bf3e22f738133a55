//! Private folders for keys and secrets, which do not stay behind.
//!
//! A process that is killed leaves its folder where it is, with secrets in it. The next process of the same user
//! that makes such a folder removes it: each folder has a file that its owner keeps locked for as long as it lives.
//!
//! The local Azure and the command line share this file, by a link.

use std::{
    fs::{self, File},
    io,
    io::Write as _,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// The file in a folder that is locked while its owner lives.
const LOCK: &str = "in-use";
/// Folders to try, should another process take an unlocked one for abandoned.
const TRIES: usize = 8;

/// A temporary folder that only this user can read; it is removed on drop.
pub(crate) struct Folder {
    /// Closed before the folder is removed: Windows removes no file that is open.
    _lock: File,
    folder: TempDir,
}

impl Folder {
    /// Makes a folder whose name begins with the prefix, and removes the abandoned ones of the same prefix there.
    pub(crate) fn new_in(place: &Path, prefix: &str) -> io::Result<Self> {
        for _ in 0..TRIES {
            let mut builder = tempfile::Builder::new();
            builder.prefix(prefix);
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
            let folder = builder.tempdir_in(place)?;
            let lock_path = folder.path().join(LOCK);
            write_private(&lock_path, b"")?;
            let Ok(lock) = File::open(&lock_path) else { continue };
            // Nothing is written before the lock is held, and the folder is still there.
            if lock.try_lock().is_ok() && lock_path.exists() {
                remove_abandoned(folder.path(), prefix);
                return Ok(Self { _lock: lock, folder });
            }
        }
        Err(io::Error::other("another process removes the folder each time"))
    }

    /// Writes a new file and returns its path.
    pub(crate) fn write(&self, name: &str, contents: &[u8]) -> io::Result<PathBuf> {
        let path = self.folder.path().join(name);
        write_private(&path, contents)?;
        Ok(path)
    }

    /// The folder's path.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the folders of this user beside `own` whose owners have ended without removing them. What cannot be
/// removed stays.
fn remove_abandoned(own: &Path, prefix: &str) {
    let Some(folders) = own.parent().and_then(|parent| fs::read_dir(parent).ok()) else { return };
    for folder in folders.flatten() {
        let path = folder.path();
        let is_named_so = folder.file_name().to_string_lossy().starts_with(prefix);
        if path != own && is_named_so && belongs_to_owner_of(own, &path) {
            let lock = File::open(path.join(LOCK));
            if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
                let _ = fs::remove_dir_all(path);
            }
        }
    }
}

/// Whether a path is a folder, and no link, of the user that another path belongs to.
#[cfg(unix)]
fn belongs_to_owner_of(own: &Path, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(own), Ok(other)) = (own.symlink_metadata(), path.symlink_metadata()) else {
        return false;
    };
    other.is_dir() && other.uid() == own.uid()
}

#[cfg(not(unix))]
fn belongs_to_owner_of(_: &Path, path: &Path) -> bool {
    path.is_dir()
}

/// Creates a file that only this user can read.
pub(crate) fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(contents)
}
