//! The operation that a request's method and path stand for.
//!
//! <https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups>

use http::Method;

use super::{access::Action, errors::VaultError, is_secret_name};

/// An operation on the secrets of a vault.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Operation<'a> {
    Set {
        name: &'a str,
    },
    Get {
        name: &'a str,
        version: Option<&'a str>,
    },
    List,
    Versions {
        name: &'a str,
    },
    /// An operation that Key Vault has and the local vault lacks.
    NotOffered {
        label: &'static str,
        action: Action,
        name: Option<&'a str>,
    },
}

impl<'a> Operation<'a> {
    /// The operation for a method and a path, or Key Vault's error if there is none.
    pub(super) fn parse(method: &Method, path: &'a str) -> Result<Self, VaultError> {
        let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
        match segments.as_slice() {
            ["secrets", rest @ ..] => Self::live(method, rest),
            ["deletedsecrets", rest @ ..] => Self::deleted(method, rest),
            _ => Err(VaultError::no_such_path()),
        }
    }

    /// Name of the operation in counters and log.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Set { .. } => "set",
            Self::Get { .. } => "get",
            Self::List => "list",
            Self::Versions { .. } => "versions",
            Self::NotOffered { label, .. } => label,
        }
    }

    /// Name of the secret that the operation concerns, if it concerns one.
    pub(super) fn name(&self) -> Option<&'a str> {
        match self {
            Self::Set { name } | Self::Get { name, .. } | Self::Versions { name } => Some(name),
            Self::List => None,
            Self::NotOffered { name, .. } => *name,
        }
    }

    /// The action for which the caller needs permission.
    pub(super) fn action(&self) -> Action {
        match self {
            Self::Set { .. } => Action::SetSecret,
            Self::Get { .. } => Action::GetSecret,
            Self::List | Self::Versions { .. } => Action::ReadMetadata,
            Self::NotOffered { action, .. } => *action,
        }
    }

    pub(super) fn check_name(&self) -> Result<(), VaultError> {
        match self.name() {
            Some(name) if !is_secret_name(name) => Err(VaultError::bad_parameter(format!(
                "The request URI contains an invalid name: {name}"
            ))),
            _ => Ok(()),
        }
    }

    fn live(method: &Method, rest: &[&'a str]) -> Result<Self, VaultError> {
        let other = |label, action, name| Ok(Self::NotOffered { label, action, name });
        match (method.as_str(), rest) {
            ("GET", [] | [""]) => Ok(Self::List),
            ("POST", ["restore"]) => other("restore", Action::Restore, None),
            (_, [] | [""]) => Err(VaultError::method_not_allowed(method)),
            ("GET", [name] | [name, ""]) => Ok(Self::Get { name, version: None }),
            ("GET", [name, "versions"]) => Ok(Self::Versions { name }),
            ("GET", [name, version]) => Ok(Self::Get { name, version: Some(version) }),
            ("PUT", [name]) => Ok(Self::Set { name }),
            ("PATCH", [name, _]) => other("update", Action::Update, Some(*name)),
            ("DELETE", [name]) => other("delete", Action::Delete, Some(*name)),
            ("POST", [name, "backup"]) => other("backup", Action::Backup, Some(*name)),
            (_, [_] | [_, _]) => Err(VaultError::method_not_allowed(method)),
            _ => Err(VaultError::no_such_path()),
        }
    }

    fn deleted(method: &Method, rest: &[&'a str]) -> Result<Self, VaultError> {
        let other = |label, action, name| Ok(Self::NotOffered { label, action, name });
        match (method.as_str(), rest) {
            ("GET", [] | [""]) => other("list-deleted", Action::ReadMetadata, None),
            ("GET", [name] | [name, ""]) => other("get-deleted", Action::ReadMetadata, Some(*name)),
            ("DELETE", [name]) => other("purge", Action::Purge, Some(*name)),
            ("POST", [name, "recover"]) => other("recover", Action::Recover, Some(*name)),
            (_, [] | [_] | [_, "recover"]) => Err(VaultError::method_not_allowed(method)),
            _ => Err(VaultError::no_such_path()),
        }
    }
}

/// Rejects an api-version that Key Vault does not know, and a request without one.
pub(super) fn check_version(version: Option<&str>) -> Result<(), VaultError> {
    match version.filter(|version| !version.is_empty()) {
        None => Err(VaultError::bad_parameter("api-version must be specified")),
        Some(version) if VERSIONS.contains(&version) => Ok(()),
        Some(version) => Err(VaultError::bad_parameter(format!(
            "The specified version ({version}) is not recognized. Consider using the latest \
             supported version ({LATEST})."
        ))),
    }
}

/// Whether responses of this api-version contain `recoverableDays`.
pub(super) fn has_recoverable_days(version: &str) -> bool {
    !matches!(version, "2016-10-01" | "7.0")
}

const LATEST: &str = "2026-04-01";

/// All published versions of the API; this file lists those since 7.5.
/// <https://github.com/Azure/azure-rest-api-specs/blob/0a92e086a07f55ad39f4942a978cb87de9be3d07/specification/keyvault/data-plane/Secrets/main.tsp>
const VERSIONS: [&str; 18] = [
    "2016-10-01",
    "7.0",
    "7.1",
    "7.2",
    "7.3",
    "7.4",
    "7.5-preview.1",
    "7.5",
    "7.6-preview.1",
    "7.6-preview.2",
    "7.6",
    "2025-06-01-preview",
    "2025-07-01",
    "2026-01-01-preview",
    "2026-03-01-preview",
    LATEST,
    "2026-05-01-preview",
    "2026-07-01-preview",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_route() {
        for (method, path, label) in [
            ("PUT", "/secrets/a", "set"),
            ("GET", "/secrets/a", "get"),
            ("GET", "/secrets/a/", "get"),
            ("GET", "/secrets/a/0123", "get"),
            ("GET", "/secrets/a/versions", "versions"),
            ("GET", "/secrets", "list"),
            ("GET", "/secrets/", "list"),
            ("PATCH", "/secrets/a/", "update"),
            ("PATCH", "/secrets/a/0123", "update"),
            ("DELETE", "/secrets/a", "delete"),
            ("POST", "/secrets/a/backup", "backup"),
            ("POST", "/secrets/restore", "restore"),
            ("GET", "/deletedsecrets", "list-deleted"),
            ("GET", "/deletedsecrets/a", "get-deleted"),
            ("DELETE", "/deletedsecrets/a", "purge"),
            ("POST", "/deletedsecrets/a/recover", "recover"),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(Operation::parse(&method, path).unwrap().label(), label, "{method} {path}");
        }
    }

    #[test]
    fn other_methods_and_paths_are_rejected() {
        let not_allowed = VaultError::method_not_allowed;
        for (method, path, error) in [
            (Method::PUT, "/secrets/", not_allowed(&Method::PUT)),
            (Method::PUT, "/secrets", not_allowed(&Method::PUT)),
            (Method::POST, "/secrets/a", not_allowed(&Method::POST)),
            (Method::PUT, "/deletedsecrets/a", not_allowed(&Method::PUT)),
            (Method::GET, "/", VaultError::no_such_path()),
            (Method::GET, "/keys/a", VaultError::no_such_path()),
            (Method::GET, "/secrets/a/b/c", VaultError::no_such_path()),
        ] {
            assert_eq!(Operation::parse(&method, path), Err(error), "{method} {path}");
        }
    }

    #[test]
    fn an_unknown_api_version_is_rejected() {
        for version in VERSIONS {
            assert_eq!(check_version(Some(version)), Ok(()));
        }
        for version in [None, Some(""), Some("7.7"), Some("latest")] {
            assert!(check_version(version).is_err(), "{version:?}");
        }
    }
}
