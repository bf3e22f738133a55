//! Files over `wasi:filesystem`: by whichever preopened folder leads to them.

use alloc::{string::String, vec::Vec};
use core::cell::OnceCell;
use zeroize::Zeroizing;

use crate::bindings::wasi::filesystem::{
    preopens::get_directories,
    types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags},
};
use vaultlet_core::context::FileError;

/// How much is read at once, bytes.
const CHUNK: usize = 16 * 1024;

/// The folders that this instance may see.
#[derive(Default)]
pub(crate) struct Files(OnceCell<Vec<(Descriptor, String)>>);

impl Files {
    pub(crate) fn read(&self, path: &str, max: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
        let file = self.open(path).map_err(classify)?;
        let mut bytes = Zeroizing::new(Vec::new());
        loop {
            let (piece, ended) = file.read(CHUNK as u64, bytes.len() as u64).map_err(classify)?;
            if bytes.len() + piece.len() > max {
                return Err(FileError::TooLarge);
            }
            bytes.extend_from_slice(&Zeroizing::new(piece));
            if ended {
                return Ok(bytes);
            }
        }
    }

    /// One that may not be read, or is long, is there all the same.
    pub(crate) fn is_there(&self, path: &str) -> bool {
        matches!(self.open(path), Ok(_) | Err(ErrorCode::Access | ErrorCode::FileTooLarge))
    }

    /// Opens it by the folder with the longest name that leads to it.
    fn open(&self, path: &str) -> Result<Descriptor, ErrorCode> {
        let folders = self.0.get_or_init(get_directories);
        let (folder, inside) = folders
            .iter()
            .filter_map(|(folder, name)| Some((folder, inside(path, name)?)))
            .min_by_key(|(_, inside)| inside.len())
            .ok_or(ErrorCode::NotPermitted)?;
        folder.open_at(PathFlags::SYMLINK_FOLLOW, inside, OpenFlags::empty(), DescriptorFlags::READ)
    }
}

/// A path as seen from a folder that it is in.
fn inside<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    match folder.trim_end_matches('/') {
        "." if !path.starts_with('/') => Some(path),
        folder => path.strip_prefix(folder)?.strip_prefix('/'),
    }
    .filter(|inside| !inside.is_empty())
}

fn classify(code: ErrorCode) -> FileError {
    match code {
        ErrorCode::NoEntry | ErrorCode::NotDirectory => FileError::Missing,
        ErrorCode::Access | ErrorCode::NotPermitted => FileError::Forbidden,
        ErrorCode::FileTooLarge => FileError::TooLarge,
        _ => FileError::Unreadable,
    }
}
