//! Files that a person names to be read once. They may be pipes, as `<(command)` of a shell is, and are read to their end.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::system::{is_disk, is_socket};

/// Opens a file to read it once. Who writes to a pipe is waited for.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let kind = path.metadata()?.file_type();
    let refused = |what| Err(io::Error::other(what));
    // The system says of a socket that there is no such device, and of a folder only when it is read.
    if kind.is_dir() {
        return refused("it is a folder");
    }
    if is_socket(kind) {
        return refused("it is a socket");
    }
    if is_disk(kind) {
        return refused("it is a disk");
    }
    File::open(path)
}
