//! Files that a person names to be read once. They may be pipes, as `<(command)` of a shell is, and are read to their end.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

/// Opens a file to read it once. Who writes to a pipe is waited for.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let kind = path.metadata()?.file_type();
    let refused = |what| Err(io::Error::other(what));
    // The system says of a socket that there is no such device, and of a folder only when it is read.
    if kind.is_dir() {
        return refused("it is a folder");
    }
    if kind.is_socket() {
        return refused("it is a socket");
    }
    if kind.is_block_device() {
        return refused("it is a disk");
    }
    File::open(path)
}
