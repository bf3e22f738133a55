//! Users of this machine, by their names and ids.

use nix::unistd;

/// The id of this process's user.
#[allow(clippy::unnecessary_wraps, reason = "on other systems there is none")]
pub(crate) fn own_id() -> Option<u32> {
    Some(rustix::process::geteuid().as_raw())
}

/// The name of this process's user, where it has no id.
pub(crate) fn own() -> Option<String> {
    None
}

/// The name of the user with this id.
pub(crate) fn of_user(id: u32) -> Option<String> {
    unistd::User::from_uid(id.into()).ok().flatten().map(|user| user.name)
}

/// The id of the user with this name. A name with a NUL is nobody's.
pub(crate) fn id_of(name: &str) -> Option<u32> {
    unistd::User::from_name(name).ok().flatten().map(|user| user.uid.as_raw())
}

/// Whether two names are one user's.
pub(crate) fn are_equal(name: &str, other: &str) -> bool {
    name == other
}
