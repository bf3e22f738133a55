//! Files: opening without waiting, and who else may write them.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::{Metadata, OpenOptions};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::geteuid;

use super::names;

/// What stands between the names of a path.
pub(crate) const SEPARATORS: &[char] = &['/'];

/// Lets opening a pipe not wait for its writer.
pub(crate) fn do_not_wait(options: &mut OpenOptions) {
    options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
}

/// The error of opening a file: a socket is no regular file, as a pipe is none.
pub(crate) fn not_regular(error: io::Error) -> io::Error {
    match Errno::from_io_error(&error) {
        Some(Errno::NXIO) => io::ErrorKind::InvalidInput.into(),
        _ => error,
    }
}

/// The bytes of a text of the system, which need not be UTF-8.
pub(crate) fn bytes(text: &OsStr) -> &[u8] {
    text.as_bytes()
}

/// A path in the form in which it is compared with others: as it is.
pub(crate) fn comparable(path: &[u8]) -> Cow<'_, [u8]> {
    path.into()
}

/// Whether a path does not depend on the current folder.
pub(crate) fn is_whole(path: &str) -> bool {
    path.starts_with('/')
}

/// The path that consists of these bytes.
pub(crate) fn path(bytes: &[u8]) -> Option<PathBuf> {
    Some(OsString::from_vec(bytes.to_vec()).into())
}

/// Why somebody else could change a file, and what to do.
pub(crate) fn untrusted(metadata: &Metadata, _: &Path) -> Option<(String, String)> {
    let (own, owner) = (geteuid().as_raw(), metadata.uid());
    if owner != own && owner != 0 {
        let name = |id: u32| match names::of_user(id) {
            Some(name) => format!("{name} ({id})"),
            None => id.to_string(),
        };
        let (owner, own) = (name(owner), name(own));
        let why = format!("it belongs to user {owner}, neither to this user, {own}, nor to root");
        return Some((why, "make it a file of this user or of root (`chown`)".to_owned()));
    }
    let who = match (metadata.mode() & 0o020 != 0, metadata.mode() & 0o002 != 0) {
        (false, false) => return None,
        (true, false) => format!("its group ({})", metadata.gid()),
        (false, true) => "everybody".to_owned(),
        (true, true) => format!("its group ({}) and everybody", metadata.gid()),
    };
    let mode = metadata.mode() & 0o7777;
    let why = format!("its mode is {mode:04o}: others than its owner may write it, namely {who}");
    Some((why, "let its owner alone write it (`chmod go-w`)".to_owned()))
}

/// The owner of a socket's file; `None` if it is no socket.
pub(crate) fn socket_owner(metadata: &Metadata) -> Option<u32> {
    metadata.file_type().is_socket().then(|| metadata.uid())
}

/// This process's user.
pub(crate) fn own_user() -> u32 {
    geteuid().as_raw()
}
