//! The ways in which a job finds its identity.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownWord;

/// Which identity the job's environment leads to, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Form {
    /// `MSI_ENDPOINT` and `MSI_SECRET`, as on Azure ML.
    #[default]
    AzureMl,
    /// The user of a Spark job of Azure ML.
    Spark,
    /// `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`.
    AppService,
    /// `AZURE_POD_IDENTITY_AUTHORITY_HOST` in place of 169.254.169.254.
    Imds,
    /// `IDENTITY_ENDPOINT` and `IMDS_ENDPOINT`, and a key that is read from a file.
    AzureArc,
    /// `IDENTITY_ENDPOINT`, `IDENTITY_HEADER` and `IDENTITY_SERVER_THUMBPRINT`.
    ServiceFabric,
    /// `MSI_ENDPOINT` alone.
    CloudShell,
    /// A managed identity by a federated token, as in a cluster of Kubernetes.
    TokenExchange,
    /// An application with a federated token, as in a cluster of Kubernetes.
    WorkloadIdentity,
    /// An application with a secret.
    ClientSecret,
    /// An application with a certificate.
    ClientCertificate,
    /// An application that signs in as a user, with their password.
    UserPassword,
    /// An application that was called with a user's token.
    OnBehalfOf,
    /// A user who approves a code.
    DeviceCode,
    /// A service connection of Azure Pipelines.
    AzurePipelines,
}

const NAMES: [(&str, Form); 15] = [
    ("azure-ml", Form::AzureMl),
    ("spark", Form::Spark),
    ("app-service", Form::AppService),
    ("imds", Form::Imds),
    ("azure-arc", Form::AzureArc),
    ("service-fabric", Form::ServiceFabric),
    ("cloud-shell", Form::CloudShell),
    ("token-exchange", Form::TokenExchange),
    ("workload-identity", Form::WorkloadIdentity),
    ("client-secret", Form::ClientSecret),
    ("client-certificate", Form::ClientCertificate),
    ("user-password", Form::UserPassword),
    ("on-behalf-of", Form::OnBehalfOf),
    ("device-code", Form::DeviceCode),
    ("azure-pipelines", Form::AzurePipelines),
];

impl Form {
    /// All of them, by name.
    pub fn all() -> impl Iterator<Item = (&'static str, Self)> {
        NAMES.into_iter()
    }
}

impl FromStr for Form {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let found = NAMES.iter().find(|(name, _)| *name == word);
        found.map(|(_, form)| *form).ok_or_else(|| {
            UnknownWord::new(
                word,
                "azure-ml, app-service, imds, azure-arc, service-fabric, cloud-shell, spark, \
                 token-exchange, workload-identity, client-secret, client-certificate, \
                 user-password, on-behalf-of, device-code, azure-pipelines",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_every_form() {
        let refusal = "arc".parse::<Form>().unwrap_err().to_string();
        for (name, form) in Form::all() {
            assert_eq!(name.parse(), Ok(form));
            assert!(refusal.contains(name), "{refusal}");
        }
    }
}
