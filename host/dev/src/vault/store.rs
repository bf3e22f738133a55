//! The secrets of one vault, in memory.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::{clock, limits};

/// A secret to be set: its value and its attributes.
///
/// ```
/// use vaultlet_dev::Seed;
///
/// let seed = Seed::from("hunter2").with_content_type("text/plain").with_tag("team", "search");
/// assert!(!format!("{seed:?}").contains("hunter2"));
/// ```
#[derive(Clone)]
pub struct Seed {
    pub(super) value: SecretString,
    pub(super) content_type: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) enabled: bool,
    pub(super) not_before: Option<i64>,
    pub(super) expires: Option<i64>,
}

impl Seed {
    /// An enabled secret with this value.
    #[must_use]
    pub fn new(value: SecretString) -> Self {
        Self {
            value,
            content_type: None,
            tags: BTreeMap::new(),
            enabled: true,
            not_before: None,
            expires: None,
        }
    }

    /// Sets the content type, which has at most 255 characters.
    #[must_use]
    pub fn with_content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Adds a tag. A secret has at most 15 of them, with names and values of at most 512
    /// characters.
    #[must_use]
    pub fn with_tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }

    /// Enables or disables the secret. The value of a disabled secret cannot be read.
    #[must_use]
    pub fn with_enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Sets the activation date, in seconds since 1970. It is informational, as in Key Vault.
    #[must_use]
    pub fn with_not_before(mut self, seconds: i64) -> Self {
        self.not_before = Some(seconds);
        self
    }

    /// Sets the expiry date, in seconds since 1970. It is informational, as in Key Vault.
    #[must_use]
    pub fn with_expires(mut self, seconds: i64) -> Self {
        self.expires = Some(seconds);
        self
    }

    /// Describes the first limit that this secret exceeds.
    pub(crate) fn check(&self) -> Result<(), String> {
        let is_too_long = |text: &str, limit| text.chars().count() > limit;
        if self.value.expose_secret().len() > limits::SECRET_VALUE {
            return Err(format!("the value has more than {} bytes", limits::SECRET_VALUE));
        }
        if self.content_type.as_ref().is_some_and(|it| is_too_long(it, limits::CONTENT_TYPE)) {
            return Err(format!("contentType has more than {} characters", limits::CONTENT_TYPE));
        }
        if self.tags.len() > limits::TAGS {
            return Err(format!("there are more than {} tags", limits::TAGS));
        }
        let mut tags = self.tags.iter();
        if tags
            .any(|(name, value)| is_too_long(name, limits::TAG) || is_too_long(value, limits::TAG))
        {
            return Err(format!("a tag has more than {} characters", limits::TAG));
        }
        Ok(())
    }
}

impl From<&str> for Seed {
    fn from(value: &str) -> Self {
        Self::new(value.into())
    }
}

impl From<String> for Seed {
    fn from(value: String) -> Self {
        Self::new(value.into())
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed")
    }
}

/// The secrets of a vault by lower-case name, because names are compared and sorted without case.
#[derive(Default)]
pub(crate) struct Store(RwLock<Secrets>);

pub(super) type Secrets = BTreeMap<String, Stored>;

/// A stored secret.
pub(super) struct Stored {
    /// The name in its first spelling.
    pub(super) name: String,
    /// All versions, oldest first. A stored secret has at least one.
    versions: Vec<Version>,
}

/// A version of a stored secret.
pub(super) struct Version {
    pub(super) id: String,
    pub(super) seed: Seed,
    /// When the version was created, in seconds since 1970.
    pub(super) created: u64,
    /// When the version was last changed, in seconds since 1970.
    pub(super) updated: u64,
}

impl Store {
    /// Adds a version of a secret.
    pub(crate) fn set(&self, name: &str, seed: Seed) {
        self.set_and(name, seed, |_, _| ());
    }

    /// Adds a version of a secret, and returns what `show` makes of it.
    pub(super) fn set_and<T>(
        &self,
        name: &str,
        seed: Seed,
        show: impl FnOnce(&Stored, &Version) -> T,
    ) -> T {
        let now = clock::now();
        let version =
            Version { id: Uuid::new_v4().simple().to_string(), seed, created: now, updated: now };
        let mut secrets = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let stored = secrets
            .entry(name.to_ascii_lowercase())
            .or_insert_with(|| Stored { name: name.to_owned(), versions: Vec::new() });
        let shown = show(stored, &version);
        stored.versions.push(version);
        shown
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Secrets> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stored {
    pub(super) fn latest(&self) -> Option<&Version> {
        self.versions.last()
    }

    pub(super) fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id.eq_ignore_ascii_case(id))
    }

    /// All versions by id, which is the order of listings.
    pub(super) fn by_id(&self) -> BTreeMap<&str, &Version> {
        self.versions.iter().map(|version| (version.id.as_str(), version)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_keep_their_first_spelling() {
        let store = Store::default();
        store.set("Db-Password", "one".into());
        store.set("db-password", "two".into());
        let secrets = store.read();
        let stored = &secrets["db-password"];
        assert_eq!((stored.name.as_str(), stored.by_id().len()), ("Db-Password", 2));
        assert_eq!(stored.latest().unwrap().seed.value.expose_secret(), "two");
    }

    #[test]
    fn limits_are_those_of_key_vault() {
        let ok = |seed: Seed| seed.check().is_ok();
        assert!(ok(Seed::from("")));
        assert!(ok("x".repeat(25_600).into()));
        assert!(!ok("x".repeat(25_601).into()));
        assert!(!ok("ä".repeat(12_801).into()));
        assert!(ok(Seed::from("").with_content_type("ä".repeat(255))));
        assert!(!ok(Seed::from("").with_content_type("x".repeat(256))));
        let tagged = |count: usize| {
            (0..count).fold(Seed::from(""), |seed, at| seed.with_tag(at.to_string(), ""))
        };
        assert!(ok(tagged(15)));
        assert!(!ok(tagged(16)));
        assert!(!ok(Seed::from("").with_tag("x".repeat(513), "")));
        assert!(!ok(Seed::from("").with_tag("", "x".repeat(513))));
    }
}
