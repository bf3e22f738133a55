//! The login of the Azure CLI.
//! <https://learn.microsoft.com/cli/azure/account#az-account-get-access-token>

use super::{
    answer,
    found::{Found, Ready},
    login::Login,
};
use crate::{
    plan::Program,
    settings::{Lookup, Settings},
};

pub(super) const VARIABLES: &[&str] = &[];

static LOGIN: Login = Login {
    program: Program {
        name: "azure-cli",
        command: "az",
        arguments: &[
            &["account", "get-access-token", "--output", "json", "--resource", "{resource}"],
            &["--tenant", "{tenant}"],
        ],
        // Older versions print local time only.
        variables: &[("AZURE_CORE_NO_COLOR", "true"), ("TZ", "UTC")],
    },
    login_command: "az login",
    not_logged_in: &["az login", "az account set"],
    module_missing: &[],
    takes_claims: false,
    parse: answer::parse,
};

pub(super) fn find(_: Lookup<'_>, _: &Settings) -> Found {
    Found::Here(Ready::Login(&LOGIN))
}
