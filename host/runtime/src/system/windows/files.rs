//! Files: opening without waiting, and who else may write them.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::{Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::rights;

/// What stands between the names of a path.
pub(crate) const SEPARATORS: &[char] = &['\\', '/'];

/// Does nothing: only Unix has pipes among the files.
pub(crate) fn do_not_wait(_: &mut OpenOptions) {}

/// The error of opening a file, as it is.
pub(crate) fn not_regular(error: io::Error) -> io::Error {
    error
}

/// The bytes of a text of the system: UTF-8, but for what is not Unicode.
pub(crate) fn bytes(text: &OsStr) -> &[u8] {
    text.as_encoded_bytes()
}

/// A path in the form in which it is compared with others: neither its case nor the kind of its slashes matters, and
/// what `canonicalize` puts before a drive is left out.
pub(crate) fn comparable(path: &[u8]) -> Cow<'_, [u8]> {
    let path = path.strip_prefix(br"\\?\").unwrap_or(path);
    let mut path = path.to_ascii_lowercase();
    path.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
    path.into()
}

/// Whether a path does not depend on the current folder and drive.
pub(crate) fn is_whole(path: &str) -> bool {
    Path::new(path).is_absolute()
}

/// The path that consists of these bytes; `None` if they are not UTF-8.
pub(crate) fn path(bytes: &[u8]) -> Option<PathBuf> {
    str::from_utf8(bytes).ok().map(PathBuf::from)
}

/// Why somebody else could change a file, and what to do.
pub(crate) fn untrusted(_: &Metadata, path: &Path) -> Option<(String, String)> {
    rights::untrusted(path)
}

/// None: sockets of Unix are not used on Windows.
pub(crate) fn socket_owner(_: &Metadata) -> Option<u32> {
    None
}

/// No user: there are no ids that are numbers.
pub(crate) fn own_user() -> u32 {
    0
}
