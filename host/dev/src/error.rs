//! Errors of this crate: why the local Azure did not start, and a word that a setting does not
//! know.

use std::{error::Error, fmt, io, path::PathBuf};

/// The local Azure did not start.
///
/// displays both, as one line.
///
/// ```
/// use vaultlet_dev::Local;
///
/// let error = Local::builder().vault("no").start().unwrap_err();
/// assert_eq!(error.id(), "dev-vault-name");
/// assert_eq!(error.help(), "choose another name");
/// assert_eq!(error.to_string(), format!("{}; {}", error.message(), error.help()));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// A vault name that Key Vault does not allow.
    VaultName(String),
    /// A secret name that Key Vault does not allow.
    SecretName(String),
    /// A seed that exceeds a limit of Key Vault.
    Seed {
        /// Name of the secret.
        name: String,
        /// The limit that the seed exceeds.
        reason: String,
    },
    /// A key or a certificate could not be generated.
    Certificate(String),
    /// The file of `SSL_CERT_FILE`, which the environment's bundle begins with, cannot be read whole.
    Roots {
        /// The file.
        file: PathBuf,
        /// Why it cannot be read.
        reason: String,
    },
    /// A variable whose value is not UTF-8.
    Variable(&'static str),
    /// The operating system refused a port, a folder or a thread.
    System {
        /// The step that failed.
        doing: &'static str,
        /// The error of the operating system.
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
            Self::Roots { .. } => "ca-file",
            Self::Variable(_) => "setting-malformed",
            Self::System { .. } => "dev-system",
        }
    }

    /// What went wrong: what was being done, and why it failed.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::VaultName(name) => format!(
                "reading the vault name `{name}`: it is not 3 to 24 letters, digits and single \
                 hyphens that begin with a letter"
            ),
            Self::SecretName(name) => format!(
                "seeding the secret `{name}`: a name is 1 to 127 letters, digits and hyphens"
            ),
            Self::Seed { name, reason } => format!("seeding the secret `{name}`: {reason}"),
            Self::Certificate(cause) => format!("making the local CA: {cause}"),
            Self::Roots { file, reason } => {
                let file = file.display().to_string().replace(char::is_control, "?");
                format!("reading the certificates of `SSL_CERT_FILE`: {file}: {reason}")
            }
            Self::Variable(name) => format!("reading `{name}`: its value is not UTF-8"),
            Self::System { doing, cause } => format!("{doing}: {cause}"),
        }
    }

    /// What to do about the error.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::VaultName(_) | Self::SecretName(_) => "choose another name",
            Self::Seed { .. } => "see the limits of Key Vault secrets",
            Self::Roots { .. } => {
                "name a PEM file of CA certificates, every one of which can be read"
            }
            Self::Variable(_) => "correct or unset it",
            Self::Certificate(_) => "this is a defect: report it with this message",
            Self::System { .. } => "check the system's limits and its temporary folder",
        }
    }

    pub(crate) fn system(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::System { doing, cause }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message(), self.help())
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::System { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

/// A word that is not one of a setting's values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not one of {allowed}")]
pub struct UnknownWord {
    word: String,
    allowed: &'static str,
}

impl UnknownWord {
    pub(crate) fn new(word: &str, allowed: &'static str) -> Self {
        Self { word: word.to_owned(), allowed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_holds_no_separator_so_that_a_line_can_be_split_at_the_last_one() {
        let cause = io::Error::other("no ports");
        for error in [
            StartError::VaultName("a; b".into()),
            StartError::SecretName("a; b".into()),
            StartError::Seed { name: "a".into(), reason: "x; y".into() },
            StartError::Certificate("x; y".into()),
            StartError::Roots { file: "a; b".into(), reason: "x; y".into() },
            StartError::Variable("X"),
            StartError::System { doing: "opening a loopback port", cause },
        ] {
            let line = error.to_string();
            let split = line.rsplit_once("; ");
            assert_eq!(split, Some((error.message().as_str(), error.help())));
        }
    }
}
