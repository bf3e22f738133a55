//! What a secret is kept under.

use std::sync::Arc;

/// A secret, or one version of a secret, by its canonical reference. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The whole canonical reference.
    reference: Arc<str>,
    /// The length of the reference without the version.
    without_version: usize,
}

impl Key {
    /// The key of a secret by its canonical reference without version and pointer (`akv://my.vault.azure.net/name`).
    /// Without a version it means the latest one.
    pub fn new(secret: &str, version: Option<&str>) -> Self {
        let reference = match version {
            Some(version) => format!("{secret}/{version}").into(),
            None => secret.into(),
        };
        Self { reference, without_version: secret.len() }
    }

    /// The canonical reference, with the version if there is one.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// The version, if it is not the latest one that is meant.
    pub fn version(&self) -> Option<&str> {
        self.reference.get(self.without_version + 1..)
    }

    /// The vault, as the reference has it: `akv://my.vault.azure.net`.
    pub fn vault(&self) -> &str {
        let host = self.reference.find("://").map_or(0, |at| at + "://".len());
        let rest = self.reference.get(host..).unwrap_or_default();
        let end = host + rest.find('/').unwrap_or(rest.len());
        self.reference.get(..end).unwrap_or_default()
    }

    /// The key of the latest version, if this is that of another one.
    pub(super) fn latest(&self) -> Option<Self> {
        self.version()?;
        Some(Self::new(self.reference.get(..self.without_version)?, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_parts() {
        for (secret, version, reference, vault) in [
            (
                "akv://job.vault.azure.net/a",
                None,
                "akv://job.vault.azure.net/a",
                "akv://job.vault.azure.net",
            ),
            ("akv://job:443/a", Some("0f"), "akv://job:443/a/0f", "akv://job:443"),
            (
                "http://[::1]:80/secrets/a",
                Some("1"),
                "http://[::1]:80/secrets/a/1",
                "http://[::1]:80",
            ),
        ] {
            let key = Key::new(secret, version);
            assert_eq!((key.reference(), key.version(), key.vault()), (reference, version, vault));
            assert_eq!(key.latest(), version.map(|_| Key::new(secret, None)));
        }
    }
}
