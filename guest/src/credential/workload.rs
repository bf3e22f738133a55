//! Workload identity: recognised, so that it is not passed over for the machine's identity.
//! <https://learn.microsoft.com/azure/aks/workload-identity-overview>

use super::{Found, unsupported};
use crate::settings::{Lookup, Settings, set};

pub(super) const VARIABLES: &[&str] =
    &["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"];

pub(super) fn find(variables: Lookup<'_>, _: &Settings) -> Found {
    if VARIABLES.iter().all(|name| set(variables, name).is_some()) {
        unsupported(None, "a workload identity by `AZURE_FEDERATED_TOKEN_FILE`")
    } else {
        Found::Absent(
            "`AZURE_CLIENT_ID`, `AZURE_TENANT_ID` and `AZURE_FEDERATED_TOKEN_FILE` are not all set"
                .into(),
        )
    }
}
