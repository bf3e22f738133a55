//! Users of this machine, by their names and ids.

use nix::unistd;

/// A user who asks for a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    id: Option<u32>,
    name: Option<String>,
}

impl User {
    /// The user of this process.
    pub fn own() -> Self {
        Self::with_id(rustix::process::geteuid().as_raw())
    }

    /// The user with this id, and the name that the system has for it.
    pub fn with_id(id: u32) -> Self {
        let found = unistd::User::from_uid(id.into()).ok().flatten().map(|user| user.name);
        #[cfg(target_env = "musl")]
        let found = found.or_else(|| getent(&id.to_string()).map(|(name, _)| name));
        Self { id: Some(id), name: found }
    }

    /// The user with this name, or with the id that is written in decimal digits. There need not be such a user on
    /// this machine.
    pub fn named(name: &str) -> Self {
        let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
        match name.parse() {
            Ok(id) if is_number => Self::with_id(id),
            _ => Self { id: id_of(name), name: Some(name.to_owned()) },
        }
    }

    /// The id, if the user is one of this machine.
    pub fn id(&self) -> Option<u32> {
        self.id
    }

    /// The name; where the system has none, the id.
    pub fn name(&self) -> String {
        self.name.clone().or_else(|| Some(self.id?.to_string())).unwrap_or_default()
    }

    /// Whether a policy that names `other` means this user: their ids are equal, or where there are none, their names.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self.id, other.id) {
            (Some(id), Some(other)) => id == other,
            _ => self.name.is_some() && self.name == other.name,
        }
    }
}

fn id_of(name: &str) -> Option<u32> {
    // A name with a NUL is nobody's.
    let found = unistd::User::from_name(name).ok().flatten().map(|user| user.uid.as_raw());
    #[cfg(target_env = "musl")]
    let found = found.or_else(|| getent(name).map(|(_, id)| id));
    found
}

/// The name and the id of a user whom `/etc/passwd` does not have. musl knows no others, but the system's own program
/// asks whatever `/etc/nsswitch.conf` names, such as SSSD.
/// <https://man7.org/linux/man-pages/man1/getent.1.html>
#[cfg(target_env = "musl")]
fn getent(user: &str) -> Option<(String, u32)> {
    use std::process::{Command, Stdio};

    const GETENT: &str = "/usr/bin/getent";
    /// Bytes of one line.
    const MOST: u64 = 4096;
    let mut command = Command::new(GETENT);
    command.args(["passwd", "--", user]).env_clear().current_dir("/");
    command.stdin(Stdio::null()).stderr(Stdio::null());
    parsed(&crate::internal::output(&mut command, MOST).ok()?)
}

/// A line of `/etc/passwd`: `name:x:id:…`.
#[cfg(any(target_env = "musl", test))]
fn parsed(line: &[u8]) -> Option<(String, u32)> {
    let mut fields = std::str::from_utf8(line).ok()?.split(':');
    let (name, id) = (fields.next()?, fields.nth(1)?);
    (!name.is_empty()).then_some((name.to_owned(), id.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_passwd_has_a_name_and_an_id() {
        let alice = "alice:*:1234:1234:Alice:/home/alice:/bin/sh\n";
        assert_eq!(parsed(alice.as_bytes()), Some(("alice".into(), 1234)));
        for bad in
            ["", "alice", "alice:x", ":x:1234:", "alice:x::", "alice:x:-1:", "alice:x:4294967296:"]
        {
            assert_eq!(parsed(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn users_are_told_apart_by_their_ids_and_then_by_their_names() {
        let root = User::named("root");
        assert_eq!((root.id(), root.name().as_str()), (Some(0), "root"));
        assert!(root.is(&User::named("0")) && root.is(&User::with_id(0)));
        assert!(!root.is(&User::with_id(1)));
        let nobody_here = User::named("no-such-user-here");
        assert_eq!(nobody_here.id(), None);
        assert!(
            nobody_here.is(&nobody_here.clone())
                && !nobody_here.is(&root)
                && !root.is(&nobody_here)
        );
        assert!(!User::named("").is(&root));
        assert_eq!(User::with_id(4_294_967_294).name(), "4294967294");
    }
}
