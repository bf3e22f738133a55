//! The identity of a job, as this machine has it.

use std::process::Command;

use super::definition::{Identity, UserAssigned};
use super::start::say;
use crate::options::Options;

/// The sources of a user's identity: the service's, or the user's own login.
const USER: &str = "azureml-obo,azure-cli,azure-developer-cli,azure-powershell";
const MANAGED: &str = "managed-identity";
/// The variable by which a job finds the user's identity.
const OF_USER: &str = "OBO_ENDPOINT";
/// A variable that `vaultlet dev` sets. The identity of its jobs is its own.
const DEV: &str = "VAULTLET_DEV_CONTROL";

/// The settings of a command that asks for secrets as the job does. A flag or variable for identities wins.
pub(super) fn options(options: Options, identity: &Identity) -> Options {
    match identity {
        Identity::User => options.or_identity(Some(USER), None),
        Identity::Unspecified => options.or_identity(None, Some("azureml-obo")),
        Identity::Managed(ids) => {
            let options = options.or_identity(Some(MANAGED), None);
            if is_in_dev() {
                return options;
            }
            let UserAssigned { client_id, object_id } = ids.clone();
            options.or_user_assigned(client_id, object_id, None)
        }
    }
}

/// Says which of the file's wishes the local Azure does not grant.
pub(super) fn note(identity: &Identity) {
    if let Identity::Managed(ids) = identity
        && *ids != UserAssigned::default()
        && is_in_dev()
    {
        say(
            "the local Azure has one managed identity, which stands for the one that the file names",
        );
    }
}

/// Gives a command the variables by which it finds the job's identity itself.
pub(super) fn set(command: &mut Command, identity: &Identity) {
    if *identity != Identity::User {
        command.env_remove(OF_USER);
    }
    if let Identity::Managed(UserAssigned { client_id: Some(id), .. }) = identity
        && !is_in_dev()
    {
        command.env("DEFAULT_IDENTITY_CLIENT_ID", id);
    }
}

fn is_in_dev() -> bool {
    std::env::var_os(DEV).is_some_and(|it| !it.is_empty())
}
