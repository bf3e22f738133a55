//! Managed identity: whichever local endpoint is there. The order is that of Azure's SDKs (where
//! they differ, that of most).
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/overview>

use super::{Found, appservice, azureml, imds, unsupported};
use crate::settings::{Lookup, Settings, set};

pub(super) const VARIABLES: &[&str] = &[
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "DEFAULT_IDENTITY_CLIENT_ID",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    // With one of these beside it, `AZURE_CLIENT_ID` is not a managed identity's.
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_FEDERATED_TOKEN_FILE",
];

pub(super) fn find(variables: Lookup<'_>, settings: &Settings) -> Found {
    let has = |name| set(variables, name).is_some();
    let endpoint = has("IDENTITY_ENDPOINT");
    if endpoint && has("IDENTITY_HEADER") && has("IDENTITY_SERVER_THUMBPRINT") {
        return unsupported(Some("service-fabric"), "the identity endpoint of Service Fabric");
    }
    let (form, found) = if let Some(found) = appservice::find(variables) {
        ("app-service", found)
    } else if let Some(found) = azureml::find(variables) {
        ("azure-ml", found)
    } else if endpoint && has("IMDS_ENDPOINT") {
        return unsupported(Some("azure-arc"), "the identity endpoint of Azure Arc");
    } else if has("MSI_ENDPOINT") {
        return unsupported(
            Some("cloud-shell"),
            "the identity endpoint of Cloud Shell (`MSI_ENDPOINT` without `MSI_SECRET`)",
        );
    } else if has("AZURE_TENANT_ID") && has("AZURE_FEDERATED_TOKEN_FILE") && has("AZURE_CLIENT_ID")
    {
        return unsupported(
            Some("token-exchange"),
            "a federated token (`AZURE_FEDERATED_TOKEN_FILE`)",
        );
    } else {
        ("imds", imds::find(variables, settings))
    };
    match found {
        Ok(endpoint) => Found::Here(endpoint),
        Err(error) => Found::Unusable(Some(form), error),
    }
}
