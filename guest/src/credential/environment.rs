//! A service principal in the environment: recognised, so that it is not passed over for the
//! machine's identity.
//! <https://learn.microsoft.com/python/api/azure-identity/azure.identity.environmentcredential>

use super::{Found, unsupported};
use crate::settings::{Lookup, Settings, set};

pub(super) const VARIABLES: &[&str] = &[
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_USERNAME",
    "AZURE_PASSWORD",
];

pub(super) fn find(variables: Lookup<'_>, _: &Settings) -> Found {
    let has = |name| set(variables, name).is_some();
    let application = has("AZURE_CLIENT_ID") && has("AZURE_TENANT_ID");
    if application && has("AZURE_CLIENT_SECRET") {
        unsupported(Some("client-secret"), "a service principal with `AZURE_CLIENT_SECRET`")
    } else if application && has("AZURE_CLIENT_CERTIFICATE_PATH") {
        unsupported(
            Some("client-certificate"),
            "a service principal with `AZURE_CLIENT_CERTIFICATE_PATH`",
        )
    } else if has("AZURE_CLIENT_ID") && has("AZURE_USERNAME") && has("AZURE_PASSWORD") {
        unsupported(Some("user-password"), "a login with `AZURE_USERNAME` and `AZURE_PASSWORD`")
    } else {
        Found::Absent(
            "`AZURE_CLIENT_ID`, `AZURE_TENANT_ID` and `AZURE_CLIENT_SECRET` are not all set".into(),
        )
    }
}
