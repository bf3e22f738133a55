//! Settings: `VAULTLET_*` variables and the ones of Azure that choose among credentials. Empty
//! means unset everywhere.

mod chain;
mod cloud;
mod label;
mod role;

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use crate::{
    error::{Error, Id},
    limits::{CALL, CALL_MAX},
    token::{UserAssigned, is_tenant},
    words::url::Url,
};
pub use chain::Chain;
pub use cloud::Cloud;
pub use label::Label;
pub use role::{Role, TokenOrigin};

/// Looks a variable up.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a call runs under.
#[derive(Debug)]
pub struct Settings {
    /// The sources of credentials, in order.
    pub chain: Chain,
    /// Which user-assigned identity, and the setting that says so (in back-ticks).
    pub identity: Option<(UserAssigned, &'static str)>,
    /// The cloud; none when the authority is one that we do not know.
    pub cloud: Option<Cloud>,
    /// Where service principals get tokens.
    pub authority: Url,
    /// The tenants in which they may, besides their own.
    pub tenants: Tenants,
    /// Whether a vault or an authority on loopback may be plain.
    pub allow_http_loopback: bool,
    /// For a whole call.
    pub timeout: Duration,
    /// Where tokens come from.
    pub token_origin: TokenOrigin,
}

/// Tenants in which tokens may be asked for, besides the one that is configured.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Tenants {
    /// No other, whatever is asked.
    Never,
    /// None was named.
    #[default]
    None,
    /// These.
    These(Vec<String>),
    /// Any.
    Any,
}

impl Settings {
    /// Reads them all; a malformed one is an error that names it and what it may be.
    pub fn read(variables: Lookup<'_>) -> Result<Self, Error> {
        let get = |name: &str| set(variables, name);
        let allow_http_loopback = match get("VAULTLET_ALLOW_HTTP_LOOPBACK").as_deref() {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(_) => {
                return Err(malformed(
                    "VAULTLET_ALLOW_HTTP_LOOPBACK",
                    "`true`, `false`, `1` or `0`",
                ));
            }
        };
        let (cloud, authority) = cloud::read(&get, allow_http_loopback)?;
        Ok(Self {
            chain: chain::read(&get)?,
            identity: identity(&get)?,
            cloud,
            authority: authority.unwrap_or_else(|| cloud.unwrap_or(Cloud::Public).authority_url()),
            tenants: tenants(&get)?,
            allow_http_loopback,
            timeout: timeout(&get)?,
            token_origin: TokenOrigin::read(&get)?,
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

/// <https://learn.microsoft.com/python/api/azure-identity/azure.identity.clientsecretcredential>
fn tenants(get: &dyn Fn(&str) -> Option<String>) -> Result<Tenants, Error> {
    if get("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH").is_some() {
        return Ok(Tenants::Never);
    }
    let ours = "VAULTLET_ADDITIONAL_TENANTS";
    let azures = "AZURE_ADDITIONALLY_ALLOWED_TENANTS";
    let (name, list) = match (get(ours), get(azures)) {
        (Some(list), _) => (ours, list),
        (None, Some(list)) => (azures, list),
        (None, None) => return Ok(Tenants::None),
    };
    let mut tenants = Vec::new();
    for tenant in list.split([';', ',']).map(str::trim).filter(|tenant| !tenant.is_empty()) {
        if tenant == "*" {
            return Ok(Tenants::Any);
        }
        if !is_tenant(tenant) {
            return Err(malformed(name, "a list of tenants (ids or domains), or `*`"));
        }
        tenants.push(tenant.to_string());
    }
    Ok(Tenants::These(tenants))
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
