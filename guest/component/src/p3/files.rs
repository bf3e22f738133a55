//! Reading files through `wasi:filesystem`: a path is opened in a preopened folder.

use alloc::{borrow::ToOwned, rc::Rc, string::String, vec::Vec};
use core::cell::OnceCell;

use crate::{
    bindings::wasi::filesystem::{
        preopens::get_directories,
        types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags},
    },
    platform::{CHUNK, classify_file, relative_path},
};
use vaultlet_core::{context::FileError, scrub::Scrubbed};
use wit_bindgen::{StreamResult, block_on};

/// The preopened folders of this instance.
#[derive(Default)]
pub(crate) struct Files(OnceCell<Vec<(Rc<Descriptor>, String)>>);

impl Files {
    /// Reads a file of at most `max` bytes.
    pub(crate) fn read(&self, path: &str, max: usize) -> Result<Scrubbed<Vec<u8>>, FileError> {
        let file = self.open(path).map_err(classify_file)?;
        block_on(async move {
            let (mut stream, end) = file.read_via_stream(0);
            let mut bytes = Scrubbed::new(Vec::new());
            loop {
                let (result, piece) = stream.read(Vec::with_capacity(CHUNK)).await;
                let piece = Scrubbed::new(piece);
                if bytes.len() + piece.len() > max {
                    return Err(FileError::TooLarge);
                }
                bytes.extend_from_slice(&piece);
                if !matches!(result, StreamResult::Complete(_)) {
                    return end.await.map(|()| bytes).map_err(classify_file);
                }
            }
        })
    }

    /// Whether a file exists, even if it cannot be read or is too long.
    pub(crate) fn exists(&self, path: &str) -> bool {
        matches!(self.open(path), Ok(_) | Err(ErrorCode::Access | ErrorCode::FileTooLarge))
    }

    /// Opens a file in the preopened folder with the longest matching path.
    fn open(&self, path: &str) -> Result<Descriptor, ErrorCode> {
        let folders = self.0.get_or_init(|| {
            let folders = get_directories().into_iter();
            folders.map(|(folder, name)| (Rc::new(folder), name)).collect()
        });
        let (folder, inside) = folders
            .iter()
            .filter_map(|(folder, name)| Some((folder, relative_path(path, name)?)))
            .min_by_key(|(_, inside)| inside.len())
            .ok_or(ErrorCode::NotPermitted)?;
        let (folder, inside) = (Rc::clone(folder), inside.to_owned());
        block_on(async move {
            let read = DescriptorFlags::READ;
            folder.open_at(PathFlags::SYMLINK_FOLLOW, inside, OpenFlags::empty(), read).await
        })
    }
}
