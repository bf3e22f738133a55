//! The login of the Azure Developer CLI.
//! <https://learn.microsoft.com/azure/developer/azure-developer-cli/reference#azd-auth-token>

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
        name: "azure-developer-cli",
        command: "azd",
        arguments: &[
            &["auth", "token", "--output", "json", "--no-prompt", "--scope", "{resource}/.default"],
            &["--tenant-id", "{tenant}"],
            &["--claims", "{claims}"],
        ],
        variables: &[("NO_COLOR", "1")],
    },
    login_command: "azd auth login",
    not_logged_in: &["not logged in", "azd auth login"],
    module_missing: &[],
    takes_claims: true,
    parse: answer::parse,
};

pub(super) fn find(_: Lookup<'_>, _: &Settings) -> Found {
    Found::Here(Ready::Login(&LOGIN))
}
