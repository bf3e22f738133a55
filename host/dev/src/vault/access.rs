//! Role assignments: what each identity may do with all secrets or with one.
//!
//! <https://learn.microsoft.com/azure/key-vault/general/rbac-guide>

use std::{
    collections::HashMap,
    str::FromStr,
    sync::{PoisonError, RwLock},
};

use serde::{Deserialize, Serialize};

use crate::{directory::who::Who, error::UnknownWord};

/// A built-in Azure role, as far as it concerns secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Key Vault Secrets Officer: every operation on secrets.
    SecretsOfficer,
    /// Key Vault Secrets User: reads values and metadata.
    SecretsUser,
    /// Key Vault Reader: reads metadata, but no values.
    Reader,
    /// No role: every request is denied.
    None,
}

/// Assigns a role to an identity, in place of an earlier grant for the same secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The identity that gets the role.
    pub who: Who,
    /// The role to assign.
    pub role: Role,
    /// Name of the secret (in each vault) to which this grant is limited; all secrets if absent.
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

    /// Parses `WHO:ROLE[:NAME]`.
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
    /// Name of the action, below `Microsoft.KeyVault/vaults/secrets/`.
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

/// All role assignments. An identity without one is a secrets officer.
#[derive(Debug, Default)]
pub(crate) struct Access(RwLock<HashMap<(Who, Option<String>), Role>>);

impl Access {
    /// Applies a role assignment.
    pub(crate) fn grant(&self, grant: Grant) {
        let name = grant.name.map(|name| name.to_ascii_lowercase());
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((grant.who, name), grant.role);
    }

    /// The role of an identity for this secret, or for all secrets if none is named.
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
    fn a_role_for_one_secret_takes_precedence() {
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
    fn roles_allow_the_same_actions_as_in_azure() {
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
    fn malformed_grants_are_rejected() {
        for text in
            ["", "user", "user:", "nobody:reader", "user:owner", "user:none:", "user:none:a_b"]
        {
            assert!(text.parse::<Grant>().is_err(), "{text}");
        }
    }
}
