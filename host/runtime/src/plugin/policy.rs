//! What a plugin may read: canonical references, compared part by part.

use crate::bindings::exports::vaultlet::keyvault::plan::Resolved;

/// What a plugin is granted.
#[derive(Default)]
pub(super) struct Policy {
    pub(super) secrets: Vec<Reference>,
    /// Vaults that the plugin may list.
    pub(super) vaults: Vec<String>,
}

/// A canonical reference, split into its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// The whole reference.
    pub(super) text: String,
    /// The reference up to the name, without version and pointer.
    secret: String,
    version: Option<String>,
    /// The JSON pointer, as the canonical form writes it.
    pointer: Option<String>,
}

impl Policy {
    pub(super) fn reads(&self, requested: &Reference) -> bool {
        self.secrets.iter().any(|granted| granted.covers(requested))
    }

    pub(super) fn lists(&self, vault: &str) -> bool {
        self.vaults.iter().any(|granted| granted == vault)
    }

    /// Whether the versions of a secret may be listed: those of a secret that may be read in every
    /// version, and of every secret in a vault that may be listed.
    pub(super) fn lists_versions(&self, requested: &Reference) -> bool {
        let is_in = |vault: &String| {
            requested.secret.strip_prefix(vault.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        self.reads(requested) || self.vaults.iter().any(is_in)
    }
}

impl From<Resolved> for Reference {
    fn from(resolved: Resolved) -> Self {
        let Resolved { reference, version, .. } = resolved;
        let (path, pointer) = match reference.split_once("?json=") {
            Some((path, pointer)) => (path, Some(pointer.to_owned())),
            None => (reference.as_str(), None),
        };
        let before_version =
            version.as_ref().and_then(|version| path.strip_suffix(version.as_str()));
        let secret = before_version.map_or(path, |path| path.trim_end_matches('/')).to_owned();
        Self { secret, version, pointer, text: reference }
    }
}

impl Reference {
    /// Whether this granted reference covers another. A grant without a version covers every
    /// version, one without a JSON pointer covers the whole value and every member; a version or
    /// pointer in the grant must match exactly.
    fn covers(&self, requested: &Self) -> bool {
        let part = |granted: &Option<String>, requested| granted.is_none() || granted == requested;
        self.secret == requested.secret
            && part(&self.version, &requested.version)
            && part(&self.pointer, &requested.pointer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(secret: &str, version: Option<&str>, pointer: Option<&str>) -> Reference {
        let own = |part: Option<&str>| part.map(str::to_owned);
        Reference {
            text: String::new(),
            secret: secret.into(),
            version: own(version),
            pointer: own(pointer),
        }
    }

    #[test]
    fn a_grant_covers_the_parts_it_leaves_open_and_nothing_else() {
        const DB: &str = "akv://job.vault.test/db";
        for (granted, requested, covered) in [
            ((DB, None, None), (DB, None, None), true),
            ((DB, None, None), (DB, Some("1"), None), true),
            ((DB, None, None), (DB, None, Some("/user")), true),
            ((DB, None, None), (DB, Some("1"), Some("/user")), true),
            ((DB, None, None), ("akv://job.vault.test/db2", None, None), false),
            ((DB, None, None), ("akv://other.vault.test/db", None, None), false),
            ((DB, None, None), ("akv://job.vault.test/DB", None, None), false),
            ((DB, Some("1"), None), (DB, Some("1"), None), true),
            ((DB, Some("1"), None), (DB, Some("1"), Some("/user")), true),
            ((DB, Some("1"), None), (DB, None, None), false),
            ((DB, Some("1"), None), (DB, Some("2"), None), false),
            ((DB, None, Some("/user")), (DB, None, Some("/user")), true),
            ((DB, None, Some("/user")), (DB, Some("1"), Some("/user")), true),
            ((DB, None, Some("/user")), (DB, None, None), false),
            ((DB, None, Some("/user")), (DB, None, Some("/user/name")), false),
            ((DB, None, Some("/user")), (DB, None, Some("/")), false),
            ((DB, Some("1"), Some("/user")), (DB, None, Some("/user")), false),
            ((DB, Some("1"), Some("/user")), (DB, Some("1"), Some("/user")), true),
        ] {
            let ((s, v, p), (s2, v2, p2)) = (granted, requested);
            let covers = reference(s, v, p).covers(&reference(s2, v2, p2));
            assert_eq!(covers, covered, "{granted:?} {requested:?}");
        }
    }

    #[test]
    fn versions_can_be_listed_in_a_granted_vault_only() {
        let policy = |vault: &str| Policy { vaults: vec![vault.into()], ..Policy::default() };
        let db = reference("akv://job.vault.test/db", None, None);
        assert!(policy("akv://job.vault.test").lists_versions(&db));
        assert!(!policy("akv://job.vault.azure.ne").lists_versions(&db));
        assert!(!policy("akv://other.vault.test").lists_versions(&db));
        assert!(!policy("akv://job.vault.test").reads(&db));
        let plain = reference("http://127.0.0.1:80/secrets/db", None, None);
        assert!(policy("http://127.0.0.1:80").lists_versions(&plain));
        assert!(!policy("http://127.0.0.1:8").lists_versions(&plain));
    }
}
