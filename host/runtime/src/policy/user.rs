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
        let found = unistd::User::from_uid(id.into()).ok().flatten();
        Self { id: Some(id), name: found.map(|user| user.name) }
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
    unistd::User::from_name(name).ok().flatten().map(|user| user.uid.as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

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
