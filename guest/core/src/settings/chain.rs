//! The setting of the chain: which sources are tried, and in which order.

use alloc::{format, string::String, vec::Vec};

use super::{EXCLUDE, IDENTITY, Label, Lookup, Name, malformed};
use crate::error::Error;

/// The chain of sources to try.
#[derive(Debug, PartialEq, Eq)]
pub struct Chain {
    /// The sources to try, in order, without duplicates.
    pub labels: Vec<Label>,
    /// Sources that a setting takes out of the chain.
    pub excluded: Vec<Label>,
    /// Whether a setting names the sources.
    pub named: bool,
    /// Whether developers' logins are left out when this is an Azure service.
    pub auto: bool,
}

impl Chain {
    /// Whether a setting names one source and no other. In every other chain the next source is asked after a
    /// managed identity or a developer's login has failed, and IMDS is probed first.
    pub(crate) fn is_alone(&self) -> bool {
        self.named && self.labels.len() == 1
    }
}

pub(super) fn read(get: Lookup<'_>) -> Result<Chain, Error> {
    let mut chain = if let Some((list, name)) = IDENTITY.read(get) {
        parse_list(name, &list)?
    } else if let Some(name) = get("AZURE_TOKEN_CREDENTIALS") {
        azure_chain(&name)?
    } else {
        auto()
    };
    if let Some((list, name)) = EXCLUDE.read(get) {
        for label in list.split(',').map(str::trim).filter(|label| !label.is_empty()) {
            let label = Label::parse(label).ok_or_else(|| unknown(name))?;
            chain.labels.retain(|kept| *kept != label);
            chain.excluded.push(label);
        }
    }
    Ok(chain)
}

fn auto() -> Chain {
    Chain { labels: Label::auto(), excluded: Vec::new(), named: false, auto: true }
}

fn parse_list(setting: Name, list: &str) -> Result<Chain, Error> {
    let mut labels = Vec::new();
    for label in list.split(',').map(str::trim).filter(|label| !label.is_empty()) {
        if label.eq_ignore_ascii_case("auto") {
            if list.trim().eq_ignore_ascii_case("auto") {
                return Ok(auto());
            }
            return Err(setting.malformed("`auto` alone, or labels without it"));
        }
        let label = Label::parse(label).ok_or_else(|| unknown(setting))?;
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    if labels.is_empty() {
        return Err(unknown(setting));
    }
    Ok(Chain { labels, excluded: Vec::new(), named: true, auto: false })
}

/// The chain that `AZURE_TOKEN_CREDENTIALS` names, as in Azure's own SDKs.
/// <https://learn.microsoft.com/azure/developer/python/sdk/authentication/credential-chains>
fn azure_chain(name: &str) -> Result<Chain, Error> {
    let (labels, named): (&[Label], bool) = match name.trim().to_ascii_lowercase().as_str() {
        "" => return Ok(auto()),
        "prod" => (&[Label::Environment, Label::WorkloadIdentity, Label::ManagedIdentity], false),
        "dev" => (&[Label::AzureCli, Label::AzureDeveloperCli, Label::AzurePowershell], false),
        "environmentcredential" => (&[Label::Environment], true),
        "workloadidentitycredential" => (&[Label::WorkloadIdentity], true),
        "managedidentitycredential" => (&[Label::ManagedIdentity], true),
        "azureclicredential" => (&[Label::AzureCli], true),
        "azuredeveloperclicredential" => (&[Label::AzureDeveloperCli], true),
        "azurepowershellcredential" => (&[Label::AzurePowershell], true),
        _ => {
            return Err(malformed(
                "AZURE_TOKEN_CREDENTIALS",
                "`prod`, `dev`, `EnvironmentCredential`, `WorkloadIdentityCredential`, \
                 `ManagedIdentityCredential`, `AzureCliCredential`, `AzureDeveloperCliCredential` \
                 or `AzurePowerShellCredential`",
            ));
        }
    };
    Ok(Chain { labels: labels.to_vec(), excluded: Vec::new(), named, auto: false })
}

fn unknown(setting: Name) -> Error {
    let labels: Vec<String> =
        Label::ALL.iter().map(|label| format!("`{}`", label.name())).collect();
    setting.malformed(&format!("`auto` or a list of {}", labels.join(", ")))
}
