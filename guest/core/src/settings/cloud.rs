//! The Azure clouds: vault suffixes, resources, token authorities.

use alloc::{format, string::ToString};

use super::{CLOUD, Lookup, malformed};
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
    /// Every cloud.
    pub const ALL: [Self; 3] = [Self::Public, Self::China, Self::UsGov];

    /// The resource of tokens for the cloud's vaults.
    /// <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-object-identifiers>
    pub fn resource(self) -> &'static str {
        match self {
            Self::Public => "https://vault.azure.net",
            Self::China => "https://vault.azure.cn",
            Self::UsGov => "https://vault.usgovcloudapi.net",
        }
    }

    /// The domain that the hosts of the cloud's vaults end in.
    pub fn suffix(self) -> &'static str {
        self.resource().trim_start_matches("https://")
    }

    /// The cloud that a vault belongs to, by its host and by the port that every vault has.
    pub fn of_vault(vault: &Url) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| {
            vault.secure
                && vault.port == 443
                && vault
                    .host
                    .strip_suffix(cloud.suffix())
                    .is_some_and(|name| name.len() > 1 && name.ends_with('.'))
        })
    }

    fn authority(self) -> &'static str {
        match self {
            Self::Public => "login.microsoftonline.com",
            Self::China => "login.chinacloudapi.cn",
            Self::UsGov => "login.microsoftonline.us",
        }
    }

    pub(super) fn authority_url(self) -> Url {
        Url::https(self.authority().into(), 443)
    }
}

/// Reads the cloud, and the authority where it is not the cloud's own.
pub(super) fn read(
    get: Lookup<'_>,
    allow_http_loopback: bool,
) -> Result<(Option<Cloud>, Option<Url>), Error> {
    let named = match CLOUD.read(get) {
        Some((cloud, name)) => Some(match cloud.to_ascii_lowercase().as_str() {
            "public" => Cloud::Public,
            "china" => Cloud::China,
            "usgov" => Cloud::UsGov,
            _ => return Err(name.malformed("`public`, `china` or `usgov`")),
        }),
        None => None,
    };
    let Some(authority) = get("AZURE_AUTHORITY_HOST") else {
        return Ok((named.or(Some(Cloud::Public)), None));
    };
    let authority = authority.trim_end_matches('/').to_string();
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
        // An authority on this machine belongs to a local Azure, whose vaults have names of the public cloud.
        _ if url.is_loopback() => Ok((named.or(Some(Cloud::Public)), Some(url))),
        _ => Ok((named.or(known), Some(url))),
    }
}
