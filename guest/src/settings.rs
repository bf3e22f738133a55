//! Settings: `VAULTLET_*` variables and the ones of Azure that choose among credentials. Empty
//! means unset everywhere.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use crate::{
    credential::{AUTO, Label},
    error::{Error, Id},
    timeouts::{CALL, CALL_MAX},
    token::UserAssigned,
    url::Url,
};

/// Looks a variable up.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a call runs under.
#[derive(Debug)]
pub struct Settings {
    /// Where tokens come from.
    pub chain: Chain,
    /// Which user-assigned identity, and the setting that says so (in back-ticks).
    pub identity: Option<(UserAssigned, &'static str)>,
    /// The cloud; none when the authority is one that we do not know.
    pub cloud: Option<Cloud>,
    /// Whether a vault on loopback may be plain.
    pub allow_http_loopback: bool,
    /// For a whole call.
    pub timeout: Duration,
    /// The identity endpoint that a host lends. With it, the chain is not used.
    pub identity_endpoint: Option<Url>,
}

/// The sources to ask, in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Chain {
    /// Each at most once.
    pub labels: Vec<Label>,
    /// Labels that were taken out.
    pub excluded: Vec<Label>,
    /// Whether somebody named them. If not, a managed identity that fails lets the chain go on, and
    /// IMDS is probed first.
    pub named: bool,
}

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
}

impl Settings {
    /// Reads them all; a malformed one is an error that names it and what it may be.
    pub fn read(variables: Lookup<'_>) -> Result<Self, Error> {
        let get = |name: &str| set(variables, name);
        Ok(Self {
            chain: chain(&get)?,
            identity: identity(&get)?,
            cloud: cloud(&get)?,
            allow_http_loopback: match get("VAULTLET_ALLOW_HTTP_LOOPBACK").as_deref() {
                None | Some("false" | "0") => false,
                Some("true" | "1") => true,
                Some(_) => {
                    return Err(malformed(
                        "VAULTLET_ALLOW_HTTP_LOOPBACK",
                        "`true`, `false`, `1` or `0`",
                    ));
                }
            },
            timeout: timeout(&get)?,
            identity_endpoint: match get("VAULTLET_IDENTITY_ENDPOINT") {
                None => None,
                Some(url) => Some(
                    Url::parse(&url).map_err(|why| malformed("VAULTLET_IDENTITY_ENDPOINT", why))?,
                ),
            },
        })
    }

    /// The cloud, or an error that says how to name one.
    pub fn known_cloud(&self) -> Result<Cloud, Error> {
        self.cloud.ok_or_else(|| {
            malformed(
                "AZURE_AUTHORITY_HOST",
                "the authority of a known cloud (set `VAULTLET_CLOUD`, or write the vault's full host)",
            )
        })
    }
}

/// A variable that is set and not empty.
pub(crate) fn set(variables: Lookup<'_>, name: &str) -> Option<String> {
    variables(name).filter(|value| !value.is_empty())
}

/// A setting that is not what it must be. Its value is not repeated: it may be a secret that was
/// put in the wrong place.
pub(crate) fn malformed(name: &str, expected: &str) -> Error {
    Error::new(Id::SettingMalformed, format!("reading settings: `{name}` is not {expected}"))
}

fn chain(get: &dyn Fn(&str) -> Option<String>) -> Result<Chain, Error> {
    let mut chain = if let Some(list) = get("VAULTLET_IDENTITY") {
        listed("VAULTLET_IDENTITY", &list)?
    } else if let Some(name) = get("AZURE_TOKEN_CREDENTIALS") {
        azures(&name)?
    } else {
        auto()
    };
    if let Some(list) = get("VAULTLET_EXCLUDE") {
        for label in list.split(',').map(str::trim).filter(|label| !label.is_empty()) {
            let label = Label::parse(label).ok_or_else(|| unknown("VAULTLET_EXCLUDE"))?;
            chain.labels.retain(|kept| *kept != label);
            chain.excluded.push(label);
        }
    }
    // In a chain that nobody chose they are only recognised.
    let named = |label: &&Label| chain.named && !label.is_built();
    if let Some(label) = chain.labels.iter().find(named) {
        return Err(Error::new(
            Id::SourceUnsupported,
            format!("reading settings: the source `{}` is not built in this version", label.name()),
        ));
    }
    Ok(chain)
}

fn auto() -> Chain {
    Chain { labels: AUTO.to_vec(), excluded: Vec::new(), named: false }
}

fn listed(setting: &str, list: &str) -> Result<Chain, Error> {
    let mut labels = Vec::new();
    for label in list.split(',').map(str::trim).filter(|label| !label.is_empty()) {
        if label.eq_ignore_ascii_case("auto") {
            if list.trim().eq_ignore_ascii_case("auto") {
                return Ok(auto());
            }
            return Err(malformed(setting, "`auto` alone, or labels without it"));
        }
        let label = Label::parse(label).ok_or_else(|| unknown(setting))?;
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    if labels.is_empty() {
        return Err(unknown(setting));
    }
    Ok(Chain { labels, excluded: Vec::new(), named: true })
}

/// `AZURE_TOKEN_CREDENTIALS` as Azure's own SDKs have it.
/// <https://learn.microsoft.com/azure/developer/python/sdk/authentication/credential-chains>
fn azures(name: &str) -> Result<Chain, Error> {
    let (labels, named): (&[Label], bool) = match name.trim().to_ascii_lowercase().as_str() {
        "" => return Ok(auto()),
        "prod" => (&[Label::Environment, Label::WorkloadIdentity, Label::ManagedIdentity], false),
        "dev" => (&[Label::AzureCli, Label::AzureDeveloperCli, Label::AzurePowershell], true),
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
    Ok(Chain { labels: labels.to_vec(), excluded: Vec::new(), named })
}

fn unknown(setting: &str) -> Error {
    let labels: Vec<String> =
        Label::ALL.iter().map(|label| format!("`{}`", label.name())).collect();
    malformed(setting, &format!("`auto` or a list of {}", labels.join(", ")))
}

fn identity(
    get: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<(UserAssigned, &'static str)>, Error> {
    let mut found = None;
    for (name, parse, expected) in [
        (
            "`VAULTLET_CLIENT_ID`",
            UserAssigned::client_id as fn(&str) -> Option<UserAssigned>,
            "a GUID",
        ),
        ("`VAULTLET_OBJECT_ID`", UserAssigned::object_id, "a GUID"),
        ("`VAULTLET_RESOURCE_ID`", UserAssigned::resource_id, "`/subscriptions/…`"),
    ] {
        let Some(value) = get(name.trim_matches('`')) else { continue };
        let id = parse(&value).ok_or_else(|| malformed(name.trim_matches('`'), expected))?;
        if let Some((_, other)) = found.replace((id, name)) {
            return Err(Error::new(
                Id::SettingsConflict,
                format!("reading settings: {other} and {name} are both set"),
            ));
        }
    }
    Ok(found)
}

fn cloud(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<Cloud>, Error> {
    match get("VAULTLET_CLOUD").as_deref() {
        Some("public") => return Ok(Some(Cloud::Public)),
        Some("china") => return Ok(Some(Cloud::China)),
        Some("usgov") => return Ok(Some(Cloud::UsGov)),
        Some(_) => return Err(malformed("VAULTLET_CLOUD", "`public`, `china` or `usgov`")),
        None => {}
    }
    let Some(authority) = get("AZURE_AUTHORITY_HOST") else {
        return Ok(Some(Cloud::Public));
    };
    let authority = authority.trim().trim_end_matches('/').to_string();
    let url = if authority.contains("://") { authority } else { format!("https://{authority}") };
    let url = Url::parse(&url)
        .ok()
        .filter(|url| url.secure)
        .ok_or_else(|| malformed("AZURE_AUTHORITY_HOST", "an `https` host"))?;
    Ok(Cloud::ALL.into_iter().find(|cloud| cloud.authority() == url.host))
}

fn timeout(get: &dyn Fn(&str) -> Option<String>) -> Result<Duration, Error> {
    let Some(text) = get("VAULTLET_TIMEOUT") else { return Ok(CALL) };
    let bad = || malformed("VAULTLET_TIMEOUT", "a number of seconds above 0 and up to 86400");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.is_empty() {
        return Err(bad());
    }
    let seconds: u64 = whole.parse().map_err(|_| bad())?;
    let millis: u64 =
        format!("{fraction:0<3}").get(..3).and_then(|ms| ms.parse().ok()).unwrap_or(0);
    let timeout = Duration::from_secs(seconds).saturating_add(Duration::from_millis(millis));
    if timeout.is_zero() || timeout > CALL_MAX { Err(bad()) } else { Ok(timeout) }
}
