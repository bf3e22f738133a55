//! Identity forms: the ways in which a job can find its identity.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::UnknownWord;

/// The form of the job's identity: which identity its environment names, and by which protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Form {
    /// The managed identity of an Azure ML job: `MSI_ENDPOINT` and `MSI_SECRET`.
    #[default]
    AzureMl,
    /// The user of an Azure ML Spark job.
    Spark,
    /// The managed identity of App Service: `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`.
    AppService,
    /// The managed identity of a virtual machine, with `AZURE_POD_IDENTITY_AUTHORITY_HOST` in place
    /// of 169.254.169.254.
    Imds,
    /// The managed identity of a machine connected by Azure Arc: `IDENTITY_ENDPOINT` and
    /// `IMDS_ENDPOINT`, with a key in a file.
    AzureArc,
    /// The managed identity of a Service Fabric application: `IDENTITY_ENDPOINT`, `IDENTITY_HEADER`
    /// and `IDENTITY_SERVER_THUMBPRINT`.
    ServiceFabric,
    /// The identity of Azure Cloud Shell: `MSI_ENDPOINT` alone.
    CloudShell,
    /// A managed identity with a federated token, as in a Kubernetes cluster.
    TokenExchange,
    /// An application with a federated token, as in a Kubernetes cluster.
    WorkloadIdentity,
    /// An application with a client secret.
    ClientSecret,
    /// An application with a client certificate.
    ClientCertificate,
    /// A user who signs in to an application by password.
    UserPassword,
    /// A user on whose behalf an application acts, with the user's token.
    OnBehalfOf,
    /// A user who approves a device code.
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
    /// All forms, with their names.
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
    fn an_unknown_form_is_answered_with_the_names_of_all() {
        let refusal = "arc".parse::<Form>().unwrap_err().to_string();
        for (name, form) in Form::all() {
            assert_eq!(name.parse(), Ok(form));
            assert!(refusal.contains(name), "{refusal}");
        }
    }
}
