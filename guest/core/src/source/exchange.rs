//! Managed identity by a federated token, as Azure Kubernetes Service has it.
//! <https://learn.microsoft.com/azure/aks/workload-identity-overview>

use alloc::boxed::Box;

use super::{
    entra::Client,
    found::{Found, Ready},
    imds, workload,
};
use crate::settings::{Lookup, Settings, set};

const FORM: &str = "token-exchange";

/// Present when all three variables are.
pub(super) fn find(variables: Lookup<'_>, settings: &Settings) -> Option<Found> {
    if !workload::REQUIRED.iter().all(|name| set(variables, name).is_some()) {
        return None;
    }
    // Variables may be left from elsewhere: a file that is not there is no reason not to ask the machine.
    let fallback = imds::endpoint(variables, settings).ok().map(Box::new);
    let client = workload::client(variables, settings, Some(FORM));
    let client = client.map(|client| Client { fallback, ..client });
    Some(Found::from_form(Some(FORM), client.map(Ready::client)))
}
