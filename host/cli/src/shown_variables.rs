//! What is shown of the variables that vaultlet reads: whether they are set, and the values of those in which
//! nothing secret stands, in a form that leaves out the rest: of a URL its server, without user, path and query.
//! Variables that are not listed here are never shown.

use std::net::IpAddr;

use vaultlet_core::settings::{Label, SETTINGS};
use vaultlet_host::AGENT_VARIABLES;

/// Variables that vaultlet reads besides those of a plan and its own settings.
pub(crate) const OF_HOST: &[&str] = &[
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "VAULTLET_POLICY",
];

/// Variables that the host reads: [`OF_HOST`], and those about the agent.
pub(crate) fn of_host() -> impl Iterator<Item = &'static str> {
    OF_HOST.iter().chain(&AGENT_VARIABLES).copied()
}

/// Variables with the URL of a server, or the server alone.
const SERVERS: &[&str] = &[
    "ALL_PROXY",
    "AZURE_AUTHORITY_HOST",
    "AZURE_KUBERNETES_TOKEN_PROXY",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "HTTPS_PROXY",
    "IDENTITY_ENDPOINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "OBO_ENDPOINT",
    "SYSTEM_OIDCREQUESTURI",
    "VAULTLET_AGENT",
    "all_proxy",
    "https_proxy",
];

/// Variables with the id of an identity, a tenant or a subscription.
const IDS: &[&str] = &[
    "AZURESUBSCRIPTION_CLIENT_ID",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
    "AZURESUBSCRIPTION_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    "DEFAULT_IDENTITY_CLIENT_ID",
    "VAULTLET_CLIENT_ID",
    "VAULTLET_OBJECT_ID",
];

/// Variables with words of ours or of Azure's, and the words besides the labels of sources.
const WORDS: &[&str] = &[
    "AZURE_TOKEN_CREDENTIALS",
    "VAULTLET_AGENT_FALLBACK",
    "VAULTLET_CLOUD",
    "VAULTLET_EXCLUDE",
    "VAULTLET_IDENTITY",
];
const KNOWN_WORDS: &[&str] = &[
    "auto",
    "azureclicredential",
    "azuredeveloperclicredential",
    "azurepowershellcredential",
    "china",
    "dev",
    "direct",
    "environmentcredential",
    "managedidentitycredential",
    "none",
    "prod",
    "public",
    "usgov",
    "workloadidentitycredential",
];

/// What is shown of a variable's value; `None` where that is nothing.
pub(crate) fn shown(name: &str, value: &str) -> Option<String> {
    let value = value.trim();
    if SERVERS.contains(&name) {
        return server(value);
    }
    let is_shown = if IDS.contains(&name) {
        is_guid(value)
    } else if WORDS.contains(&name) {
        value.split(',').all(|word| is_known(word.trim()))
    } else if name == "VAULTLET_TIMEOUT" {
        value.parse::<f64>().is_ok()
    } else if name == "VAULTLET_ALLOW_HTTP_LOOPBACK" {
        ["true", "false", "1", "0"].contains(&value)
    } else {
        false
    };
    is_shown.then(|| value.to_owned())
}

/// The names of all variables of ours that stand for settings.
pub(crate) fn of_settings() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().map(|setting| setting.variable)
}

/// A variable's value as text, if it is set: an empty one is not.
pub(crate) fn value(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?;
    let value = value.to_string_lossy().into_owned();
    (!value.trim().is_empty()).then_some(value)
}

fn is_known(word: &str) -> bool {
    Label::parse(word).is_some() || KNOWN_WORDS.contains(&word.to_ascii_lowercase().as_str())
}

fn is_guid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

/// The server of a URL. A host without a dot may be anything, and is not shown unless it is this machine.
fn server(url: &str) -> Option<String> {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => (Some(scheme), rest),
        Some(_) => return None,
        None => (None, url),
    };
    // A password may have any character, also those that end a server.
    let server = match rest.rsplit_once('@') {
        Some((_, server)) => server.strip_suffix('/').unwrap_or(server),
        None => rest.split(['/', '?', '#']).next().unwrap_or_default(),
    };
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (server, None),
    };
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_name = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
        && (host.contains('.') || host == "localhost");
    if !is_port || !(is_name || literal.parse::<IpAddr>().is_ok()) {
        return None;
    }
    Some(scheme.map_or_else(|| server.to_owned(), |scheme| format!("{scheme}://{server}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_harmless_values_is_shown() {
        for (name, value, expected) in [
            (
                "MSI_ENDPOINT",
                "http://127.0.0.1:46808/MSI/auth?x=s3cret",
                Some("http://127.0.0.1:46808"),
            ),
            ("MSI_ENDPOINT", "http://localhost/s3cret", Some("http://localhost")),
            ("IDENTITY_ENDPOINT", "http://[::1]:80/s3cret#s3cret", Some("http://[::1]:80")),
            ("HTTPS_PROXY", "http://u:s3cret@proxy.corp:3128", Some("http://proxy.corp:3128")),
            ("HTTPS_PROXY", "http://u:s3/cr@et@proxy.corp:3128/", Some("http://proxy.corp:3128")),
            ("https_proxy", "proxy.corp:3128", Some("proxy.corp:3128")),
            ("HTTPS_PROXY", "http://user.name:123/s3cret@proxy.corp/x", None),
            ("HTTPS_PROXY", "s3cret", None),
            ("HTTPS_PROXY", "socks5://proxy.corp", None),
            ("HTTPS_PROXY", "http://proxy.corp:s3cret", None),
            ("AZURE_AUTHORITY_HOST", "login.microsoftonline.us", Some("login.microsoftonline.us")),
            (
                "AZURE_CLIENT_ID",
                "d47b0e5a-1111-2222-3333-444455556666",
                Some("d47b0e5a-1111-2222-3333-444455556666"),
            ),
            ("AZURE_CLIENT_ID", "s3cret", None),
            ("VAULTLET_IDENTITY", "managed, azure-cli", Some("managed, azure-cli")),
            ("VAULTLET_IDENTITY", "managed,s3cret", None),
            ("AZURE_TOKEN_CREDENTIALS", "Prod", Some("Prod")),
            ("VAULTLET_AGENT", "http://127.0.0.1:8200", Some("http://127.0.0.1:8200")),
            ("VAULTLET_AGENT", "unix:/s3cret", None),
            ("VAULTLET_AGENT_TOKEN_FILE", "/s3cret", None),
            ("VAULTLET_TIMEOUT", " 5 ", Some("5")),
            ("VAULTLET_TIMEOUT", "s3cret", None),
            ("MSI_SECRET", "s3cret", None),
            ("AZURE_CLIENT_SECRET", "d47b0e5a-1111-2222-3333-444455556666", None),
            ("AZURE_FEDERATED_TOKEN_FILE", "/s3cret", None),
        ] {
            assert_eq!(shown(name, value).as_deref(), expected, "{name}={value}");
        }
    }
}
