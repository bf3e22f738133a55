//! Managed identity by a federated token, as Azure Kubernetes Service has it.
//! <https://learn.microsoft.com/azure/aks/workload-identity-overview>

use super::{Found, Ready, workload};
use crate::settings::{Lookup, Settings, set};

const FORM: &str = "token-exchange";

/// Present when all three variables are.
pub(super) fn find(variables: Lookup<'_>, settings: &Settings) -> Option<Found> {
    if !workload::REQUIRED.iter().all(|name| set(variables, name).is_some()) {
        return None;
    }
    let client = workload::client(variables, settings, Some(FORM));
    Some(Found::of(Some(FORM), client.map(Ready::client)))
}
