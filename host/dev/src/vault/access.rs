//! Roles: what each identity may do, in all vaults or to one secret.
//!
//! <https://learn.microsoft.com/azure/key-vault/general/rbac-guide>

use std::{
    collections::HashMap,
    str::FromStr,
    sync::{PoisonError, RwLock},
};

use serde::{Deserialize, Serialize};

use crate::identity::{UnknownWord, Who};

/// A built-in role of Azure, as far as secrets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Key Vault Secrets Officer: everything on secrets.
    SecretsOfficer,
    /// Key Vault Secrets User: reads values and what is said about them.
    SecretsUser,
    /// Key Vault Reader: reads what is said about secrets, no values.
    Reader,
    /// No role at all.
    None,
}

/// Gives an identity a role, in place of the one it had there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Who gets it.
    pub who: Who,
    /// What they may do from now on.
    pub role: Role,
    /// The one secret (in each vault) that this is for; without it, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Role {
    pub(super) fn allows(self, action: Action) -> bool {
        match self {
            Self::SecretsOfficer => true,
            Self::SecretsUser => matches!(action, Action::GetSecret | Action::ReadMetadata),
            Self::Reader => action == Action::ReadMetadata,
            Self::None => false,
        }
    }
}

impl FromStr for Role {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "secrets-officer" => Ok(Self::SecretsOfficer),
            "secrets-user" => Ok(Self::SecretsUser),
            "reader" => Ok(Self::Reader),
            "none" => Ok(Self::None),
            _ => Err(UnknownWord::new(word, "secrets-officer, secrets-user, reader, none")),
        }
    }
}

impl FromStr for Grant {
    type Err = UnknownWord;

    /// Reads `WHO:ROLE[:NAME]`.
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let mut parts = text.splitn(3, ':');
        let who = parts.next().unwrap_or_default().parse()?;
        let role = parts.next().unwrap_or_default().parse()?;
        let name = parts.next().map(str::to_owned);
        if name.as_deref().is_some_and(|name| !super::is_secret_name(name)) {
            return Err(UnknownWord::new(text, "the names of secrets: letters, digits, hyphens"));
        }
        Ok(Self { who, role, name })
    }
}

/// A data action of Key Vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    GetSecret,
    ReadMetadata,
    SetSecret,
    Update,
    Delete,
    Recover,
    Purge,
    Backup,
    Restore,
}

impl Action {
    /// Its name below `Microsoft.KeyVault/vaults/secrets/`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::GetSecret => "getSecret/action",
            Self::ReadMetadata => "readMetadata/action",
            Self::SetSecret => "setSecret/action",
            Self::Update => "update/action",
            Self::Delete => "delete",
            Self::Recover => "recover/action",
            Self::Purge => "purge/action",
            Self::Backup => "backup/action",
            Self::Restore => "restore/action",
        }
    }
}

/// All roles given. Whoever was given none is a secrets officer.
#[derive(Debug, Default)]
pub(crate) struct Access(RwLock<HashMap<(Who, Option<String>), Role>>);

impl Access {
    /// Gives a role.
    pub(crate) fn grant(&self, grant: Grant) {
        let name = grant.name.map(|name| name.to_ascii_lowercase());
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((grant.who, name), grant.role);
    }

    /// The role for a secret, or for a vault where no secret is named.
    pub(super) fn role(&self, who: Who, name: Option<&str>) -> Role {
        let roles = self.0.read().unwrap_or_else(PoisonError::into_inner);
        name.and_then(|name| roles.get(&(who, Some(name.to_ascii_lowercase()))))
            .or_else(|| roles.get(&(who, None)))
            .copied()
            .unwrap_or(Role::SecretsOfficer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_of_one_secret_goes_before_that_of_the_vaults() {
        let access = Access::default();
        assert_eq!(access.role(Who::User, Some("a")), Role::SecretsOfficer);
        access.grant("user:reader".parse().unwrap());
        access.grant("user:secrets-user:DB".parse().unwrap());
        assert_eq!(access.role(Who::User, None), Role::Reader);
        assert_eq!(access.role(Who::User, Some("a")), Role::Reader);
        assert_eq!(access.role(Who::User, Some("db")), Role::SecretsUser);
        assert_eq!(access.role(Who::Managed, Some("db")), Role::SecretsOfficer);
    }

    #[test]
    fn roles_allow_what_azure_says() {
        use Action::*;
        for (role, allowed) in [
            (Role::SecretsOfficer, &[GetSecret, ReadMetadata, SetSecret, Purge][..]),
            (Role::SecretsUser, &[GetSecret, ReadMetadata]),
            (Role::Reader, &[ReadMetadata]),
            (Role::None, &[]),
        ] {
            for action in [GetSecret, ReadMetadata, SetSecret, Purge] {
                assert_eq!(role.allows(action), allowed.contains(&action), "{role:?} {action:?}");
            }
        }
    }

    #[test]
    fn malformed_grants_are_refused() {
        for text in
            ["", "user", "user:", "nobody:reader", "user:owner", "user:none:", "user:none:a_b"]
        {
            assert!(text.parse::<Grant>().is_err(), "{text}");
        }
    }
}
