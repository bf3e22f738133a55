//! Where the authority is reached: its real names in each cloud, and its doors on loopback.

/// Names of the authority in each cloud, the preferred one first, the issuer's name second.
/// <https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>
pub(crate) const HOSTS: [&[&str]; 3] = [
    &[PUBLIC, "login.windows.net", "login.microsoft.com", "sts.windows.net"],
    &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
    &["login.microsoftonline.us", "login.usgovcloudapi.net"],
];

const PUBLIC: &str = "login.microsoftonline.com";
/// Suffix of the regional endpoints.
const REGIONAL: &str = ".login.microsoft.com";

/// Whether this host is the authority's: one of its names, or that of a region.
pub(crate) fn is_host(host: &str) -> bool {
    HOSTS.iter().any(|names| names.contains(&host))
        || host.strip_suffix(REGIONAL).is_some_and(|region| {
            !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// One way in, as the authority's documents name it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Scheme, host and, where it is not the default, port.
    pub(crate) origin: String,
    /// Origin of the issuer that tokens of version 2 name.
    pub(crate) issuer: String,
    /// Name of the cloud, as documents have it.
    pub(crate) cloud: String,
    /// Where a person approves a device code.
    pub(crate) device_page: String,
}

impl Place {
    /// The real name.
    pub(crate) fn real(host: &str, device_page: &str) -> Self {
        let names = HOSTS.iter().find(|names| names.contains(&host));
        // The regions are of the public cloud.
        let preferred = names.and_then(|names| names.first()).unwrap_or(&PUBLIC);
        Self {
            origin: format!("https://{host}"),
            issuer: format!("https://{preferred}"),
            cloud: preferred.trim_start_matches("login.").to_owned(),
            device_page: device_page.to_owned(),
        }
    }

    /// A door on loopback.
    pub(crate) fn loopback(origin: &str, device_page: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            issuer: origin.to_owned(),
            cloud: "localhost".to_owned(),
            device_page: device_page.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_one_label() {
        for (host, is) in [
            ("login.microsoftonline.com", true),
            ("westeurope.login.microsoft.com", true),
            (".login.microsoft.com", false),
            ("a.b.login.microsoft.com", false),
            ("login.microsoftonline.com.example", false),
            ("xlogin.microsoft.com", false),
        ] {
            assert_eq!(is_host(host), is, "{host}");
        }
    }
}
