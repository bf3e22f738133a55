//! Why the local Azure did not start.

use std::io;

/// Why the local Azure did not start: one line that names cause and remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A vault's name that Key Vault does not allow.
    #[error(
        "reading the vault name `{0}`: it is not 3 to 24 letters, digits and single hyphens that \
         begin with a letter; choose another name"
    )]
    VaultName(String),
    /// A secret's name that Key Vault does not allow.
    #[error(
        "seeding the secret `{0}`: a name is 1 to 127 letters, digits and hyphens; choose another name"
    )]
    SecretName(String),
    /// A seed outside of what Key Vault allows.
    #[error("seeding the secret `{name}`: {reason}; see the limits of Key Vault secrets")]
    Seed {
        /// The secret's name.
        name: String,
        /// The limit that was passed.
        reason: String,
    },
    /// Certificates could not be made.
    #[error("making the local CA: {0}; this is a defect")]
    Certificate(String),
    /// No port, folder or thread to be had from the system.
    #[error("{doing}: {cause}; check the system's limits and its temporary folder")]
    System {
        /// What was being done.
        doing: &'static str,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
}

impl StartError {
    /// The stable id of this error.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::VaultName(_) => "dev-vault-name",
            Self::SecretName(_) => "dev-secret-name",
            Self::Seed { .. } => "dev-seed",
            Self::Certificate(_) => "dev-certificate",
            Self::System { .. } => "dev-system",
        }
    }

    pub(crate) fn system(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::System { doing, cause }
    }
}
