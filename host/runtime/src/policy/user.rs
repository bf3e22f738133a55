//! Users of this machine, by their names and ids.

use crate::system::names;

/// A user who asks for a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    id: Option<u32>,
    name: Option<String>,
}

impl User {
    /// The user of this process.
    pub fn own() -> Self {
        match names::own_id() {
            Some(id) => Self::with_id(id),
            None => Self { id: None, name: names::own() },
        }
    }

    /// The user with this id, and the name that the system has for it.
    pub fn with_id(id: u32) -> Self {
        Self { id: Some(id), name: names::of_user(id) }
    }

    /// The user with this name, or with the id that is written in decimal digits. There need not be such a user on
    /// this machine.
    pub fn named(name: &str) -> Self {
        let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
        match name.parse() {
            Ok(id) if is_number => Self::with_id(id),
            _ => Self { id: names::id_of(name), name: Some(name.to_owned()) },
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
            _ => match (&self.name, &other.name) {
                (Some(name), Some(other)) => names::are_equal(name, other),
                _ => false,
            },
        }
    }
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
