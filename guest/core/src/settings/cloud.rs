//! The Azure clouds: vault suffixes, resources, token authorities.

use alloc::{
    format,
    string::{String, ToString},
};

use super::malformed;
use crate::{error::Error, words::url::Url};

/// An Azure cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// Azure.
    Public,
    /// Azure operated by 21Vianet.
    China,
    /// Azure Government.
    UsGov,
}

impl Cloud {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Public, Self::China, Self::UsGov];

    /// What vault hosts end in.
    /// <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-object-identifiers>
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Public => "vault.azure.net",
            Self::China => "vault.azure.cn",
            Self::UsGov => "vault.usgovcloudapi.net",
        }
    }

    /// The one whose vaults have this host, on the port that they have.
    pub(crate) fn of_vault(vault: &Url) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| {
            vault.secure
                && vault.port == 443
                && vault
                    .host
                    .strip_suffix(cloud.suffix())
                    .is_some_and(|name| name.len() > 1 && name.ends_with('.'))
        })
    }

    /// What tokens for its vaults are asked for.
    pub fn resource(self) -> String {
        format!("https://{}", self.suffix())
    }

    fn authority(self) -> &'static str {
        match self {
            Self::Public => "login.microsoftonline.com",
            Self::China => "login.chinacloudapi.cn",
            Self::UsGov => "login.microsoftonline.us",
        }
    }

    pub(super) fn authority_url(self) -> Url {
        Url { secure: true, host: self.authority().into(), port: 443, target: "/".into() }
    }
}

/// The cloud, and the authority where it is not simply the cloud's.
pub(super) fn read(
    get: &dyn Fn(&str) -> Option<String>,
    allow_http_loopback: bool,
) -> Result<(Option<Cloud>, Option<Url>), Error> {
    let named = match get("VAULTLET_CLOUD").as_deref() {
        Some("public") => Some(Cloud::Public),
        Some("china") => Some(Cloud::China),
        Some("usgov") => Some(Cloud::UsGov),
        Some(_) => return Err(malformed("VAULTLET_CLOUD", "`public`, `china` or `usgov`")),
        None => None,
    };
    let Some(authority) = get("AZURE_AUTHORITY_HOST") else {
        return Ok((named.or(Some(Cloud::Public)), None));
    };
    let authority = authority.trim().trim_end_matches('/').to_string();
    let url = if authority.contains("://") { authority } else { format!("https://{authority}") };
    let url = Url::parse(&url)
        .ok()
        .filter(|url| url.secure || (allow_http_loopback && url.is_loopback()))
        .filter(|url| !url.target.contains('?'))
        .ok_or_else(|| malformed("AZURE_AUTHORITY_HOST", "an `https` host"))?;
    let known = Cloud::ALL.into_iter().find(|cloud| cloud.authority() == url.host);
    match (named, known) {
        // The flag wins over the variable.
        (Some(_), Some(_)) => Ok((named, None)),
        // On this machine it is a local Azure, whose vaults are called as the public ones.
        _ if url.is_loopback() => Ok((named.or(Some(Cloud::Public)), Some(url))),
        _ => Ok((named.or(known), Some(url))),
    }
}
