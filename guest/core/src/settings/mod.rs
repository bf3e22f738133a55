//! Settings: `VAULTLET_*` variables, and Azure's variables that choose among credentials. White space
//! around a value does not count, and a variable without anything else is the same as an unset one.

mod chain;
mod cloud;
mod http_identity;
mod label;
mod lent;
mod role;
mod table;

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
pub(crate) use http_identity::allows_http_identity;
pub use label::Label;
pub use lent::RESOURCES_VARIABLE;
pub use role::{Role, TokenOrigin};
pub use table::*;

/// A function that looks up a variable.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The settings of a call.
#[derive(Debug)]
pub struct Settings {
    /// The sources of credentials, in order.
    pub chain: Chain,
    /// The user-assigned identity, and the setting that chooses it.
    pub identity: Option<(UserAssigned, Name)>,
    /// The cloud; none when the authority belongs to no known cloud.
    pub cloud: Option<Cloud>,
    /// The token authority of service principals.
    pub authority: Url,
    /// The tenants in which service principals may get tokens, besides their own.
    pub tenants: Tenants,
    /// Whether a vault or an authority on loopback may use plain HTTP.
    pub allow_http_loopback: bool,
    /// The time that a whole call may take.
    pub timeout: Duration,
    /// Where tokens come from.
    pub token_origin: TokenOrigin,
}

/// Tenants in which tokens may be requested, besides the one that is configured.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Tenants {
    /// No other tenant, whatever a vault's challenge says.
    Never,
    /// No setting names a tenant.
    #[default]
    None,
    /// The tenants that a setting names.
    These(Vec<String>),
    /// Any tenant.
    Any,
}

impl Settings {
    /// Reads all settings. The error for a malformed setting names it and the values that it may have.
    pub fn read(variables: Lookup<'_>) -> Result<Self, Error> {
        let get = |name: &str| set(variables, name);
        let allow_http_loopback = match ALLOW_HTTP_LOOPBACK.read(&get) {
            None => false,
            Some((text, name)) => boolean(&text).ok_or_else(|| name.malformed(BOOLEAN))?,
        };
        http_identity::check(&get)?;
        lent::check(&get)?;
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

/// A variable that is set, without the white space around its value.
pub(crate) fn set(variables: Lookup<'_>, name: &str) -> Option<String> {
    let value = variables(name)?;
    let text = value.trim();
    if text.is_empty() {
        None
    } else if text.len() == value.len() {
        Some(value)
    } else {
        Some(text.to_string())
    }
}

/// A variable that is set and holds a password, which may have white space around it.
pub(crate) fn set_exactly(variables: Lookup<'_>, name: &str) -> Option<String> {
    variables(name).filter(|value| !value.trim().is_empty())
}

/// The value of a header, from the variable of this name.
pub(crate) fn header(name: &str, value: String) -> Result<String, Error> {
    if value.bytes().all(|b| (b' '..0x7f).contains(&b)) {
        Ok(value)
    } else {
        Err(malformed(name, "a text of ASCII without control characters, as a header must be"))
    }
}

/// A switch, in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") || text == "1" {
        Some(true)
    } else if is("false") || text == "0" {
        Some(false)
    } else {
        None
    }
}

/// The values of a switch, for error messages.
pub(crate) const BOOLEAN: &str = "`true`, `false`, `1` or `0`";

/// The error for a malformed variable. The value is not quoted: it may be a secret that was put in the wrong
/// place.
pub(crate) fn malformed(name: &str, expected: &str) -> Error {
    Error::new(Id::SettingMalformed, format!("reading settings: `{name}` is not {expected}"))
}

fn identity(get: Lookup<'_>) -> Result<Option<(UserAssigned, Name)>, Error> {
    type Parse = fn(&str) -> Option<UserAssigned>;
    let ids: [(&'static Setting, Parse, &str); 3] = [
        (&CLIENT_ID, UserAssigned::client_id, "a GUID"),
        (&OBJECT_ID, UserAssigned::object_id, "a GUID"),
        (&RESOURCE_ID, UserAssigned::resource_id, "`/subscriptions/…`"),
    ];
    let mut found = None;
    for (setting, parse, expected) in ids {
        let Some((value, name)) = setting.read(get) else { continue };
        let id = parse(&value).ok_or_else(|| name.malformed(expected))?;
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
fn tenants(get: Lookup<'_>) -> Result<Tenants, Error> {
    if get("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH").is_some() {
        return Ok(Tenants::Never);
    }
    const AZURE_VARIABLE: &str = "AZURE_ADDITIONALLY_ALLOWED_TENANTS";
    let given = ADDITIONAL_TENANTS.read(get);
    let given = given.or_else(|| Some((get(AZURE_VARIABLE)?, Name::variable(AZURE_VARIABLE))));
    let Some((list, name)) = given else { return Ok(Tenants::None) };
    let mut tenants = Vec::new();
    for tenant in list.split([';', ',']).map(str::trim).filter(|tenant| !tenant.is_empty()) {
        if tenant == "*" {
            return Ok(Tenants::Any);
        }
        if !is_tenant(tenant) {
            return Err(name.malformed("a list of tenants (ids or domains), or `*`"));
        }
        tenants.push(tenant.to_string());
    }
    Ok(Tenants::These(tenants))
}

fn timeout(get: Lookup<'_>) -> Result<Duration, Error> {
    let Some((text, name)) = TIMEOUT.read(get) else { return Ok(CALL) };
    let bad = || name.malformed("a number of seconds above 0 and up to 86400");
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
