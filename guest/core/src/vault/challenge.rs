//! The challenge by which a vault says which tokens it accepts, and the check whether to trust it.
//! <https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses>

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use base64ct::{Base64UrlUnpadded, Encoding as _};

use crate::{
    context::Response,
    error::{Error, Id},
    limits::CLAIMS,
    token::{Audience, is_claims, is_tenant},
    words::url::Url,
};

/// A `Bearer` challenge that is parsed but not yet verified.
#[derive(Debug, PartialEq, Eq)]
pub struct Challenge {
    resource: Option<String>,
    tenant: Option<String>,
    /// Claims that the token lacks, as JSON text, if that is why it was refused.
    pub claims: Option<String>,
}

impl Challenge {
    /// Finds and parses the `Bearer` challenge in `www-authenticate` headers.
    pub fn parse<'a>(mut headers: impl Iterator<Item = &'a str>) -> Option<Self> {
        let challenges = bearers(&mut headers);
        let is_vaults = |one: &&Parameters| {
            ["resource", "scope", "claims"].iter().any(|name| one.get(name).is_some())
        };
        // A bare one, or one of a proxy, may stand before the vault's.
        let parameters = challenges.iter().find(is_vaults).or(challenges.first())?;
        let get = |name: &str| parameters.get(name);
        // Key Vault says `insufficient_claims`. A challenge that has claims asks for them, whatever error
        // stands beside them.
        let claims = get("claims").and_then(decode_claims);
        let scope = get("scope").map(|scope| scope.strip_suffix("/.default").unwrap_or(scope));
        let authority = get("authorization").or_else(|| get("authorization_uri"));
        Some(Self {
            resource: get("resource").or(scope).map(|text| text.trim_end_matches('/').to_owned()),
            tenant: authority.and_then(tenant),
            claims,
        })
    }

    /// Verifies that the challenge is about this vault: the host of the resource must be a parent
    /// domain of the vault's, with the same port. With `own_origin` the resource may be the vault
    /// itself, for vaults without TLS on loopback, which have no parent domain.
    pub fn verify(&self, vault: &Url, own_origin: bool) -> Result<Audience, Error> {
        let doing = format!("checking the challenge of {}", vault.short_host_and_port());
        let Some(resource) = &self.resource else {
            return Err(Error::new(Id::ChallengeMalformed, format!("{doing}: it has no resource")));
        };
        let refused = |why: &str| Err(Error::new(Id::ChallengeRefused, format!("{doing}: {why}")));
        let Ok(parsed) = Url::parse(resource) else {
            return refused("its resource is not a URL");
        };
        let own = own_origin && parsed.host == vault.host && parsed.port == vault.port;
        if !own {
            if !parsed.secure {
                return refused("its resource is not an `https` URL");
            }
            let below = vault
                .host
                .strip_suffix(&parsed.host)
                .is_some_and(|name| name.len() > 1 && name.ends_with('.'));
            if !below || parsed.port != vault.port {
                return refused(&format!(
                    "its resource belongs to {}, not to this vault",
                    parsed.short_host_and_port()
                ));
            }
        }
        Ok(Audience { resource: resource.to_string(), tenant: self.tenant.clone() })
    }
}

/// The words in the challenges of a response.
pub(super) fn description(response: &Response) -> Option<String> {
    let challenges = bearers(&mut response.headers_named("www-authenticate"));
    challenges.iter().find_map(|one| one.get("error_description")).map(ToOwned::to_owned)
}

/// The parameters of a challenge.
#[derive(Default)]
struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The parameter with this name, if there is exactly one and it is not empty.
    fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty() && found.next().is_none())
    }
}

/// The `Bearer` challenges in some headers; a header that is malformed has none.
fn bearers(headers: &mut dyn Iterator<Item = &str>) -> Vec<Parameters> {
    let mut found = Vec::new();
    for header in headers {
        let before = found.len();
        if add_bearers(header, &mut found).is_none() {
            found.truncate(before);
        }
    }
    found
}

/// Adds the `Bearer` challenges in a header, which may have several challenges. None if it is malformed.
/// <https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1>
fn add_bearers(header: &str, found: &mut Vec<Parameters>) -> Option<()> {
    let mut rest = header.trim_start();
    let mut is_within = false;
    while !rest.is_empty() {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        let (word, after) = split_word(rest)?;
        let spaced = after.trim_start_matches([' ', '\t']);
        // A word before `=` is a parameter; any other word begins a challenge.
        match spaced.strip_prefix('=').filter(|_| !word.is_empty()) {
            Some(value) => {
                let (value, after) = split_value(value.trim_start_matches([' ', '\t']))?;
                if let Some(last) = found.last_mut().filter(|_| is_within) {
                    last.0.push((word.to_owned(), value));
                }
                rest = after;
            }
            None if word.is_empty() => break,
            None => {
                is_within = word.eq_ignore_ascii_case("bearer");
                if is_within {
                    found.push(Parameters::default());
                }
                rest = skip_token68(spaced);
            }
        }
    }
    Some(())
}

/// Skips a bare value after a scheme (`Negotiate abc==`), which has no parameters.
fn skip_token68(text: &str) -> &str {
    let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
    let (value, rest) = text.split_at(end);
    let bare = value.trim_end_matches('=');
    let padded = bare.len() < value.len() || !rest.trim_start().starts_with('=');
    if !value.is_empty() && padded && !bare.contains('=') && !bare.contains('"') {
        rest
    } else {
        text
    }
}

/// Splits off a token of RFC 9110.
fn split_word(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)))
        .unwrap_or(text.len());
    text.split_at_checked(end)
}

/// Splits off the value of a parameter: a quoted string or a token.
fn split_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        // More lenient than RFC 9110: some services send URLs without quotes.
        let end = text.find([',', ' ', '\t', '"']).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end)?;
        return Some((value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' => value.push(chars.next()?.1),
            _ => value.push(c),
        }
    }
    None
}

/// The first segments of an authority's path that name no tenant: AD FS has one only, the others are whatever
/// tenant the credential is of.
const NO_TENANTS: [&str; 4] = ["adfs", "common", "organizations", "consumers"];

/// The tenant in the authority's URL: the first segment of the path.
fn tenant(authority: &str) -> Option<String> {
    let url = Url::parse(authority).ok()?;
    let path = url.target.split('?').next()?.strip_prefix('/')?;
    let tenant = path.split('/').next()?;
    let is_named = !NO_TENANTS.iter().any(|none| none.eq_ignore_ascii_case(tenant));
    (is_named && is_tenant(tenant)).then(|| tenant.to_owned())
}

/// Decodes claims from base64 in either alphabet, padded or not.
fn decode_claims(text: &str) -> Option<String> {
    if text.len() > CLAIMS * 2 {
        return None;
    }
    let text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    let bytes = Base64UrlUnpadded::decode_vec(&text).ok()?;
    String::from_utf8(bytes).ok().filter(|claims| is_claims(claims))
}
