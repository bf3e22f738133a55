//! The clouds: the suffix of their vaults, and the hosts of their authorities.

/// Suffix of a cloud's vaults, and the host of its authority that their challenges name.
/// <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates>
pub(crate) const CLOUDS: [(&str, &str); 3] = [
    ("vault.azure.net", PUBLIC_AUTHORITY),
    ("vault.azure.cn", "login.chinacloudapi.cn"),
    ("vault.usgovcloudapi.net", "login.microsoftonline.us"),
];

/// Hosts of the authority in each cloud: the preferred one first, the one in issuers second.
/// <https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>
pub(crate) const AUTHORITY_HOSTS: [&[&str]; 3] = [
    &[PUBLIC_AUTHORITY, "login.windows.net", "login.microsoft.com", "sts.windows.net"],
    &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
    &["login.microsoftonline.us", "login.usgovcloudapi.net"],
];

/// Preferred host of the public cloud's authority.
pub(crate) const PUBLIC_AUTHORITY: &str = "login.microsoftonline.com";

/// Suffix of the public cloud's regional authorities.
const REGIONAL: &str = ".login.microsoft.com";

/// Whether this host is one of the authority's, or a regional one.
pub(crate) fn is_authority_host(host: &str) -> bool {
    AUTHORITY_HOSTS.iter().any(|hosts| hosts.contains(&host))
        || host.strip_suffix(REGIONAL).is_some_and(|region| {
            !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_one_label() {
        for (host, is) in [
            ("login.microsoftonline.com", true),
            ("westeurope.login.microsoft.com", true),
            (".login.microsoft.com", false),
            ("a.b.login.microsoft.com", false),
            ("login.microsoftonline.com.example", false),
            ("xlogin.microsoft.com", false),
        ] {
            assert_eq!(is_authority_host(host), is, "{host}");
        }
    }
}
