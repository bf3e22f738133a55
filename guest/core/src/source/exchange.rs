//! Managed identity by a federated token, as on Azure Kubernetes Service.
//! <https://learn.microsoft.com/azure/aks/workload-identity-overview>

use alloc::boxed::Box;

use super::{
    entra::Client,
    found::{Found, Ready},
    imds, workload,
};
use crate::settings::{Lookup, Settings, set};

const FORM: &str = "token-exchange";

/// Present when all of [`workload::required`] are set.
pub(super) fn find(variables: Lookup<'_>, settings: &Settings) -> Option<Found> {
    if !workload::required(settings).iter().all(|name| set(variables, name).is_some()) {
        return None;
    }
    // The variables may be left over from another machine: if the file does not exist, IMDS is asked.
    let fallback = imds::endpoint(variables, settings).ok().map(Box::new);
    let client = workload::client(variables, settings, Some(FORM));
    let client = client.map(|client| Client { fallback, ..client });
    Some(Found::from_form(Some(FORM), client.map(Ready::client)))
}
