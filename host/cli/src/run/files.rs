//! Secrets in files that lie in memory: for `as=file` in a folder of a memory file system, which is removed at
//! the end; for `as=fd` without a name, as long as somebody has it open.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use vaultlet_host::Kind;

use crate::failure::Failure;
use crate::private_folder::Folder;
use crate::system::{is_in_memory, memory_file};

/// What the names of the folders begin with.
const PREFIX: &str = "vaultlet-run-";
/// The name of a file until it has its content.
const UNFINISHED: &str = ".new";
/// Variables may have any names, files may not.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_');

/// Files that variables name.
#[derive(Default)]
pub(super) struct Files {
    folder: Option<Folder>,
    descriptors: Vec<(OsString, File)>,
}

impl Files {
    /// The path of a file with this content, which nobody else may read. A file that is there already is replaced
    /// in one step.
    pub(super) fn file(&mut self, name: &OsStr, content: &[u8]) -> Result<PathBuf, Failure> {
        let failed = |error: io::Error| failed(name, &error);
        let folder = match &self.folder {
            Some(folder) => folder,
            None => self.folder.insert(folder().map_err(failed)?),
        };
        // Left behind when there was no room for it.
        let _ = fs::remove_file(folder.path().join(UNFINISHED));
        let unfinished = folder.write(UNFINISHED, content).map_err(failed)?;
        let encoded = percent_encode(name.as_bytes(), ENCODED).to_string();
        let path = folder.path().join(encoded);
        fs::rename(unfinished, &path).map_err(failed)?;
        Ok(path)
    }

    /// The path of a new descriptor with this content, which is to be handed down to the command. Each time that
    /// the path is opened it is read from its beginning.
    pub(super) fn descriptor(&mut self, name: &OsStr, content: &[u8]) -> Result<PathBuf, Failure> {
        let failed = |error: io::Error| failed(name, &error);
        let mut file = memory_file("vaultlet").map_err(failed)?;
        file.write_all(content).map_err(failed)?;
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        self.descriptors.retain(|(other, _)| other != name);
        self.descriptors.push((name.to_owned(), file));
        Ok(path.into())
    }

    /// Gives the descriptor of a variable, which a command has already, another content.
    pub(super) fn rewrite(&self, name: &OsStr, content: &[u8]) -> Result<(), Failure> {
        let Some((_, file)) = self.descriptors.iter().find(|(other, _)| other == name) else {
            return Ok(());
        };
        // A program that reads at this moment may get something of both; it is told when all is there.
        let length = content.len() as u64;
        let written = file.write_all_at(content, 0).and_then(|()| file.set_len(length));
        written.map_err(|error| failed(name, &error))
    }

    /// The descriptors that a command is to inherit.
    pub(super) fn handed_down(&self) -> Vec<RawFd> {
        self.descriptors.iter().map(|(_, file)| file.as_raw_fd()).collect()
    }

    /// Whether this process must outlive the command, to remove files.
    pub(super) fn must_be_kept(&self) -> bool {
        self.folder.is_some()
    }
}

/// A folder on a memory file system, which is removed when it is dropped.
fn folder() -> io::Result<Folder> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let places = runtime.into_iter().chain(["/dev/shm", "/run", "/tmp"].map(PathBuf::from));
    let mut error = io::Error::other("there is no memory file system");
    for place in places.filter(|place| is_in_memory(place)) {
        match Folder::new_in(&place, PREFIX) {
            Ok(folder) => return Ok(folder),
            Err(failed) => error = failed,
        }
    }
    Err(error)
}

fn failed(name: &OsStr, error: &io::Error) -> Failure {
    let name = name.to_string_lossy();
    let message = format!("making the file of `{name}`: {}", error.to_string().to_lowercase());
    let help = "make `/dev/shm` a memory file system that may be written to, or leave `as=` out";
    Failure::own(Kind::Configuration, "file-failed", message, help)
}
