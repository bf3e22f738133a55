//! What a plugin is granted, by the rules of policies.

use crate::policy::{Canonical, Pattern};

/// What a plugin is granted.
#[derive(Default)]
pub(super) struct Grants {
    pub(super) secrets: Vec<Pattern>,
    /// Vaults that the plugin may list, in canonical form.
    pub(super) vaults: Vec<String>,
}

impl Grants {
    pub(super) fn reads(&self, requested: &Canonical) -> bool {
        self.secrets.iter().any(|granted| granted.covers(requested))
    }

    pub(super) fn lists(&self, vault: &str) -> bool {
        self.vaults.iter().any(|granted| granted == vault)
    }

    /// Whether the versions of a secret may be listed: those of a secret that may be read in every
    /// version, and of every secret in a vault that may be listed.
    pub(super) fn lists_versions(&self, requested: &Canonical) -> bool {
        self.reads(requested) || self.lists(requested.vault())
    }
}

#[cfg(test)]
mod tests {
    use vaultlet_core::settings::Settings;

    use super::*;

    fn canonical(text: &str) -> Canonical {
        let get = |name: &str| (name == "VAULTLET_ALLOW_HTTP_LOOPBACK").then(|| "true".to_owned());
        Canonical::read(text, &Settings::read(&get).unwrap()).unwrap()
    }

    #[test]
    fn versions_can_be_listed_in_a_granted_vault_only() {
        let grants = |vault: &str| Grants { vaults: vec![vault.into()], ..Grants::default() };
        let db = canonical("akv://job.vault.test/db");
        assert!(grants("akv://job.vault.test").lists_versions(&db));
        assert!(!grants("akv://job.vault.tes").lists_versions(&db));
        assert!(!grants("akv://other.vault.test").lists_versions(&db));
        assert!(!grants("akv://job.vault.test").reads(&db));
        let plain = canonical("http://127.0.0.1:81/secrets/db");
        assert!(grants("http://127.0.0.1:81").lists_versions(&plain));
        assert!(!grants("http://127.0.0.1:8").lists_versions(&plain));
    }
}
