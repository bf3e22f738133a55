//! The files that a role may read: the planned ones alone.
//!
//! There is no listing, no writing and no other path, so that a guest cannot find out what else is
//! on the machine. A file is read whole each time.

use std::fs;
use std::io;
use std::sync::Arc;

use wasmtime::component::{ComponentType, Lower};
use zeroize::Zeroizing;

use crate::bindings::exports::vaultlet::keyvault::plan::File;
use crate::call::{Call, on_thread};
use crate::error::Error;
use crate::exhausted::exhausted;
use crate::file;
use crate::limits;
use crate::settings::Environment;
use crate::system::files::SEPARATORS;

/// The path that stands for text which an embedder gave in place of a file.
pub(crate) const GIVEN: &str = "-";

/// The files that one role may read.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) planned: Vec<File>,
    /// Where a path that is not UTF-8 comes from.
    pub(crate) environment: Environment,
    /// The content of [`GIVEN`], where that path is planned.
    pub(crate) given: Option<Arc<Zeroizing<String>>>,
}

/// Why a file was not read: the record of the WIT interface `host`.
#[derive(Clone, Copy, ComponentType, Debug, Eq, Lower, PartialEq)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum FileError {
    #[component(name = "missing")]
    Missing,
    #[component(name = "forbidden")]
    Forbidden,
    #[component(name = "too-large")]
    TooLarge,
    #[component(name = "unreadable")]
    Unreadable,
}

impl Files {
    /// Reads a planned file of at most `max` bytes.
    pub(crate) fn read(
        &self,
        path: &str,
        max: usize,
        call: &Call,
    ) -> Result<Result<Zeroizing<Vec<u8>>, FileError>, Error> {
        let Some(planned) = self.planned.iter().find(|file| serves(file, path)) else {
            tracing::warn!(target: "vaultlet", "denied a file that is not granted to the role");
            return Ok(Err(FileError::Forbidden));
        };
        if path == GIVEN {
            let given = self.given.as_ref().filter(|given| given.len() <= max);
            return Ok(match given {
                Some(given) => Ok(Zeroizing::new(given.as_bytes().to_vec())),
                None if self.given.is_some() => Err(FileError::TooLarge),
                None => Err(FileError::Missing),
            });
        }
        let folder = match planned {
            File::Path(_) => None,
            File::Folder((folder, _)) => Some(self.environment.path_of(folder)),
        };
        let doing = format!("reading `{path}`");
        let path = self.environment.path_of(path);
        // The file may be on a network file system.
        let read = on_thread(call, move || {
            if let Some(folder) = folder
                && fs::canonicalize(&path)?.parent() != Some(&fs::canonicalize(folder)?)
            {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            file::read_secret(&path, max.min(limits::FILE_MAX))
        })?;
        match read {
            Ok(content) => Ok(Ok(content)),
            Err(error) => match exhausted(&doing, &error) {
                Some(error) => Err(error),
                None => Ok(Err(classify(&error))),
            },
        }
    }

    /// Whether a planned file exists, even if it cannot be read or is too long.
    pub(crate) fn exists(&self, path: &str, call: &Call) -> Result<bool, Error> {
        if !self.is_planned(path) {
            return Ok(false);
        }
        let read = self.read(path, limits::FILE_MAX, call)?;
        Ok(matches!(read, Ok(_) | Err(FileError::Forbidden | FileError::TooLarge)))
    }

    pub(crate) fn is_planned(&self, path: &str) -> bool {
        self.planned.iter().any(|file| serves(file, path))
    }
}

/// Whether a planned file is this path, or its folder has this path directly in it.
fn serves(file: &File, path: &str) -> bool {
    match file {
        File::Path(planned) => planned == path,
        File::Folder((folder, ending)) => path
            .strip_prefix(folder.trim_end_matches(SEPARATORS))
            .and_then(|rest| rest.strip_prefix(SEPARATORS))
            .is_some_and(|name| {
                let is_direct = !name.contains(SEPARATORS);
                name.len() > ending.len() && name.ends_with(ending.as_str()) && is_direct
            }),
    }
}

fn classify(error: &io::Error) -> FileError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileError::Missing,
        io::ErrorKind::PermissionDenied => FileError::Forbidden,
        io::ErrorKind::FileTooLarge => FileError::TooLarge,
        _ => FileError::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_planned_paths_are_served() {
        let folder = || File::Folder(("/var/opt/agent/tokens".into(), ".key".into()));
        for (file, path, expected) in [
            (File::Path("/run/token".into()), "/run/token", true),
            (File::Path("/run/token".into()), "/run/token/", false),
            (File::Path("/run/token".into()), "/run/./token", false),
            (File::Path("/run/token".into()), "/run//token", false),
            (File::Path("/run/token".into()), "/run/x/../token", false),
            (File::Path("/run/token".into()), "run/token", false),
            (folder(), "/var/opt/agent/tokens/1.key", true),
            (folder(), "/var/opt/agent/tokens/.key", false),
            (folder(), "/var/opt/agent/tokens/1.pem", false),
            (folder(), "/var/opt/agent/tokens/a/1.key", false),
            (folder(), "/var/opt/agent/tokens/../1.key", false),
            (folder(), "/var/opt/agent/tokens", false),
            (folder(), "/var/opt/agent/tokensx/1.key", false),
            (folder(), "var/opt/agent/tokens/1.key", false),
        ] {
            assert_eq!(serves(&file, path), expected, "{file:?} {path}");
        }
    }
}
