//! What a plugin may read: canonical references, compared part by part.

use crate::plan::Resolved;

/// What one plugin is granted.
#[derive(Default)]
pub(super) struct Policy {
    pub(super) secrets: Vec<Reference>,
}

/// A canonical reference in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// All of it.
    pub(super) text: String,
    /// Vault and name.
    secret: String,
    version: Option<String>,
    /// The JSON pointer, as the canonical form writes it.
    pointer: Option<String>,
}

impl Policy {
    pub(super) fn allows(&self, asked: &Reference) -> bool {
        self.secrets.iter().any(|granted| granted.covers(asked))
    }
}

impl Reference {
    /// A grant covers what it leaves open: without a version each version, without a JSON pointer each
    /// member and the whole. What it says must be asked for exactly.
    fn covers(&self, asked: &Self) -> bool {
        let part = |granted: &Option<String>, asked| granted.is_none() || granted == asked;
        self.secret == asked.secret
            && part(&self.version, &asked.version)
            && part(&self.pointer, &asked.pointer)
    }
}

impl From<Resolved> for Reference {
    fn from(resolved: Resolved) -> Self {
        let Resolved { reference, version, .. } = resolved;
        let (path, pointer) = match reference.split_once("?json=") {
            Some((path, pointer)) => (path, Some(pointer.to_owned())),
            None => (reference.as_str(), None),
        };
        let of_version = version.as_ref().and_then(|version| path.strip_suffix(version.as_str()));
        let secret = of_version.map_or(path, |path| path.trim_end_matches('/')).to_owned();
        Self { secret, version, pointer, text: reference }
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
    fn a_grant_covers_what_it_leaves_open_and_nothing_beside() {
        const DB: &str = "akv://job.vault.azure.net/db";
        for (granted, asked, covered) in [
            ((DB, None, None), (DB, None, None), true),
            ((DB, None, None), (DB, Some("1"), None), true),
            ((DB, None, None), (DB, None, Some("/user")), true),
            ((DB, None, None), (DB, Some("1"), Some("/user")), true),
            ((DB, None, None), ("akv://job.vault.azure.net/db2", None, None), false),
            ((DB, None, None), ("akv://other.vault.azure.net/db", None, None), false),
            ((DB, None, None), ("akv://job.vault.azure.net/DB", None, None), false),
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
            let ((s, v, p), (s2, v2, p2)) = (granted, asked);
            let covers = reference(s, v, p).covers(&reference(s2, v2, p2));
            assert_eq!(covers, covered, "{granted:?} {asked:?}");
        }
    }
}
