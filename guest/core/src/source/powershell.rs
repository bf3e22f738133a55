//! The login of Azure PowerShell.
//! <https://learn.microsoft.com/powershell/module/az.accounts/get-azaccesstoken>

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

/// The script that gets a token. Values are passed in environment variables, so that nothing needs
/// quoting. Newer versions return the token as a `SecureString`.
const SCRIPT: &str = "\
$ErrorActionPreference='Stop';\
Import-Module Az.Accounts -MinimumVersion 2.2.0;\
$p=@{ResourceUrl=$env:VAULTLET_RESOURCE};\
if($env:VAULTLET_TENANT){$p.TenantId=$env:VAULTLET_TENANT};\
if((Get-Command Get-AzAccessToken).Parameters.ContainsKey('AsSecureString')){$p.AsSecureString=$true};\
$t=Get-AzAccessToken @p;$s=$t.Token;\
if($s -is [securestring]){$s=[Net.NetworkCredential]::new('',$s).Password};\
@{token=$s;expiresOn=$t.ExpiresOn.ToUnixTimeSeconds()}|ConvertTo-Json -Compress";

static LOGIN: Login = Login {
    program: Program {
        name: "azure-powershell",
        command: "pwsh",
        arguments: &[&["-NoProfile", "-NonInteractive", "-Command", SCRIPT]],
        variables: &[
            ("NO_COLOR", "1"),
            ("VAULTLET_RESOURCE", "{resource}"),
            ("VAULTLET_TENANT", "{tenant}"),
        ],
    },
    login_command: "Connect-AzAccount",
    not_logged_in: &["Connect-AzAccount"],
    module_missing: &[
        "was not loaded",
        "any module directory",
        "'Get-AzAccessToken' is not recognized",
    ],
    takes_claims: false,
    parse: answer::parse,
};

pub(super) fn find(_: Lookup<'_>, _: &Settings) -> Found {
    Found::Here(Ready::Login(&LOGIN))
}
