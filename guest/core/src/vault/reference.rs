//! References to secrets and vaults, in every form that users write.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use fluent_uri::Uri;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::slip::{self, Meant};
use crate::{
    error::{Error, Id},
    limits::REFERENCE,
    settings::{Cloud, Settings},
    words::url::{Url, split_host_and_port, unescaped},
};

/// Characters to escape in the pointer of a canonical reference: those that RFC 3986 does not allow
/// in a query, and those that would end the option.
const IN_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What a reference begins with, in the form of App Service.
const APP_SERVICE: &str = "@Microsoft.KeyVault(";

/// A checked reference to a secret of a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The vault's URL, with the target `/`.
    pub vault: Url,
    /// The secret's name.
    pub name: String,
    /// The version in lower case; none means the latest.
    pub version: Option<String>,
    /// A JSON pointer (RFC 6901) into the value.
    pub pointer: Option<String>,
}

impl Reference {
    /// Parses `akv://…`, the secret's own URL, or `@Microsoft.KeyVault(…)`.
    /// <https://learn.microsoft.com/azure/app-service/app-service-key-vault-references>
    pub fn parse(text: &str, settings: &Settings) -> Result<Self, Error> {
        Self::parse_exact(text, settings).map_err(|error| {
            explain(error, text, &|meant| Self::parse_exact(meant, settings).is_ok())
        })
    }

    /// Parses a text that need not be a reference, such as the value of a variable: `None` if it is none. The URL
    /// of a secret is one only at a vault of a known cloud, because other servers have such URLs, too.
    pub fn recognize(text: &str, settings: &Settings) -> Option<Result<Self, Error>> {
        let is_meant = is_meant(text);
        if !is_meant && !may_be_one(text) {
            return None;
        }
        match Self::parse(text, settings) {
            Ok(reference) if is_meant || Cloud::of_vault(&reference.vault).is_some() => {
                Some(Ok(reference))
            }
            Ok(_) => None,
            Err(error) => is_meant.then_some(Err(error)),
        }
    }

    fn parse_exact(text: &str, settings: &Settings) -> Result<Self, Error> {
        if text.len() > REFERENCE {
            return Err(malformed("it is too long"));
        }
        let text = text.trim();
        if text.is_empty() {
            return Err(malformed("it is empty"));
        }
        if begins(text, APP_SERVICE) {
            let inner = text.get(APP_SERVICE.len()..).and_then(|rest| rest.strip_suffix(')'));
            return parse_app_service(
                inner.ok_or_else(|| malformed("the `)` is missing"))?,
                settings,
            );
        }
        match split_scheme(text) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("akv") => parse_akv(rest, settings),
            Some((scheme, _))
                if scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http") =>
            {
                parse_url(text, settings)
            }
            _ => Err(malformed("it is not `akv://…`, `https://…` or `@Microsoft.KeyVault(…)`")),
        }
    }

    /// The canonical form, which is the same for all references to the same secret. Policies compare it.
    pub fn canonical(&self) -> String {
        let mut text = canonical(&self.vault);
        text.push_str(if self.vault.secure { "/" } else { "/secrets/" });
        text.push_str(&self.name);
        if let Some(version) = &self.version {
            text.push('/');
            text.push_str(version);
        }
        if let Some(pointer) = &self.pointer {
            text.push_str("?json=");
            text.extend(utf8_percent_encode(pointer, IN_QUERY));
        }
        text
    }
}

/// Whether a text begins as nothing but a reference does.
pub fn is_meant(text: &str) -> bool {
    let text = text.trim_start();
    begins(text, "akv://") || begins(text, APP_SERVICE)
}

/// Whether a text begins as a reference does. The URL of anything does so, too.
pub fn may_be_one(text: &str) -> bool {
    is_meant(text) || begins(text.trim_start(), "https://")
}

fn begins(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// The beginning of a reference, through the `/` before the secret's name, in the forms `akv://…` and
/// `https://…`. It is sound: every text that begins so names the same vault under the same settings, or is
/// malformed. Nothing that may follow it is part of the server any more, and what precedes it keeps its
/// meaning, because a reference is split from the left.
pub fn prefix(text: &str) -> Option<&str> {
    let (scheme, rest) = split_scheme(text.trim_start())?;
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    let before_name = match is("akv") {
        true => "/",
        false if is("https") || is("http") => "/secrets/",
        false => return None,
    };
    // The server ends here, and nowhere before: a text with more after it ends its server here, too.
    let after_vault = rest.get(rest.find(['/', '?', '#'])?..)?;
    let name = after_vault.strip_prefix(before_name)?;
    text.get(..text.len() - name.len())
}

/// The canonical form of a vault.
pub fn canonical(vault: &Url) -> String {
    // A host without a dot keeps the port, so that it is not taken for a vault's name.
    let host = match is_vault_name(&vault.host) {
        true => vault.host_and_port(),
        false => vault.short_host_and_port(),
    };
    // A vault without TLS, which is allowed on loopback only, keeps the scheme: `akv` means TLS.
    format!("{}://{host}", if vault.secure { "akv" } else { "http" })
}

/// Parses a vault: `<vault>` as in a reference, `akv://<vault>`, or the vault's URL.
pub fn vault(text: &str, settings: &Settings) -> Result<Url, Error> {
    vault_exact(text, settings).map_err(|error| explain(error, text, &|_| false))
}

/// The error of a malformed reference with the reference in it, and with what it may have meant.
#[inline(never)]
fn explain(mut error: Error, text: &str, is_good: &dyn Fn(&str) -> bool) -> Error {
    let own = malformed("");
    let Some(shown) = slip::shown(text).filter(|_| error.is(Id::ReferenceMalformed)) else {
        return error;
    };
    let why = error.message.strip_prefix(&own.message).unwrap_or(&error.message);
    error.message = format!("reading the reference `{shown}`: {why}");
    if error.help == own.help
        && text.len() <= REFERENCE
        && let Some(meant) = Meant::read(text)
        && is_good(&meant.reference("job", "name"))
    {
        let reference = meant.reference("<vault>", "<name>");
        error.help = match meant.is_whole() {
            true => format!("did you mean `{reference}`?"),
            false => format!("write `{reference}`"),
        };
    }
    error
}

fn vault_exact(text: &str, settings: &Settings) -> Result<Url, Error> {
    if text.len() > REFERENCE {
        return Err(malformed("it is too long"));
    }
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").unwrap_or(("akv", text));
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#']) {
        return Err(malformed("it is more than a vault").with_help("write akv://<vault>"));
    }
    if scheme.eq_ignore_ascii_case("akv") {
        parse_vault(rest, settings)
    } else {
        parse_vault_url(text, settings)
    }
}

/// Splits a text at the `://` after its scheme.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    Some((scheme, rest.strip_prefix("//")?))
}

/// Parses what follows `akv://`.
fn parse_akv(rest: &str, settings: &Settings) -> Result<Reference, Error> {
    let (path, query) = split_query(rest)?;
    if path.contains("://") {
        return Err(malformed("`://` stands in it twice"));
    }
    let (vault, path) = path.split_once('/').unwrap_or((path, ""));
    let vault = parse_vault(vault, settings)?;
    if path.is_empty() {
        return Err(malformed("it names a vault and no secret"));
    }
    parse_secret(vault, path, query)
}

/// Parses a vault's name, or a full host with or without a port.
fn parse_vault(vault: &str, settings: &Settings) -> Result<Url, Error> {
    if !is_vault_name(vault) {
        let (host, port) = split_host_and_port(vault)
            .map_err(|why| malformed(&format!("the vault is not {why}")))?;
        return Ok(Url::https(host, port.unwrap_or(443)));
    }
    let starts = vault.starts_with(|c: char| c.is_ascii_alphabetic());
    let has_single_hyphens = vault.split('-').all(|part| !part.is_empty());
    if !(3..=24).contains(&vault.len()) || !starts || !has_single_hyphens {
        return Err(malformed(
            "a vault's name has 3 to 24 letters, digits and single hyphens, and begins with a letter",
        ));
    }
    let host = format!("{}.{}", vault.to_ascii_lowercase(), settings.known_cloud()?.suffix());
    Ok(Url::https(host, 443))
}

/// Whether a text is taken for a vault's name, not for a host.
fn is_vault_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    text.bytes().all(plain) && !text.eq_ignore_ascii_case("localhost")
}

/// Parses `https://<vault>/secrets/<name>[/<version>]`.
fn parse_url(text: &str, settings: &Settings) -> Result<Reference, Error> {
    let (path, query) = split_query(text)?;
    let mut vault = parse_vault_url(path, settings)?;
    let target = core::mem::replace(&mut vault.target, "/".to_string());
    let Some(path) = target.strip_prefix("/secrets/") else {
        return Err(malformed(match target.split('/').nth(1) {
            Some("keys") => "it names a key, and only secrets can be read",
            Some("certificates") => {
                "it names a certificate; its secret, which has the same name, can be read"
            }
            _ => "the path is not `/secrets/<name>[/<version>]`",
        }));
    };
    // A URL that was copied from a request names the version of the protocol.
    let options: Vec<&str> = query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.starts_with("api-version="))
        .collect();
    parse_secret(vault, path, Some(&options.join("&")))
}

/// Parses a URL, and checks that its scheme is allowed for a vault.
fn parse_vault_url(text: &str, settings: &Settings) -> Result<Url, Error> {
    let vault = Url::parse(text).map_err(|why| malformed(&format!("it is not {why}")))?;
    let may_be_plain = settings.allow_http_loopback && vault.is_loopback();
    if vault.secure || may_be_plain {
        return Ok(vault);
    }
    Err(malformed("a vault is asked over `https` only")
        .with_help("write `https://`; for a vault on loopback set `VAULTLET_ALLOW_HTTP_LOOPBACK`"))
}

/// Parses `SecretUri=…`, or `VaultName=…;SecretName=…[;SecretVersion=…]`.
fn parse_app_service(inner: &str, settings: &Settings) -> Result<Reference, Error> {
    let (mut uri, mut vault, mut name, mut version) = (None, None, None, None);
    for pair in inner.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) =
            pair.split_once('=').ok_or_else(|| malformed("a part of it is not `<key>=<value>`"))?;
        let place = match key.trim().to_ascii_lowercase().as_str() {
            "secreturi" => &mut uri,
            "vaultname" => &mut vault,
            "secretname" => &mut name,
            "secretversion" => &mut version,
            _ => {
                return Err(malformed(
                    "its keys are `SecretUri`, `VaultName`, `SecretName` and `SecretVersion`",
                ));
            }
        };
        if place.replace(value.trim()).is_some() {
            return Err(malformed("a key is repeated"));
        }
    }
    match (uri, vault, name) {
        (Some(uri), None, None) if version.is_none() => parse_url(uri, settings),
        (None, Some(vault), Some(name)) => {
            let path = match version.filter(|version| !version.is_empty()) {
                Some(version) => format!("{name}/{version}"),
                None => name.to_owned(),
            };
            parse_secret(parse_vault(vault, settings)?, &path, None)
        }
        _ => Err(malformed("it has neither `SecretUri` alone nor `VaultName` and `SecretName`")),
    }
}

/// Splits a text at the `?`, and checks that the query is one of RFC 3986.
fn split_query(text: &str) -> Result<(&str, Option<&str>), Error> {
    if text.contains('#') {
        return Err(malformed("it has a fragment"));
    }
    match text.split_once('?') {
        None => Ok((text, None)),
        Some((path, query)) => {
            Uri::parse(format!("a:?{query}"))
                .map_err(|_| malformed("its options are not escaped as in a URL"))?;
            Ok((path, Some(query)))
        }
    }
}

/// Parses `<name>[/<version>]` and the options.
fn parse_secret(vault: Url, path: &str, query: Option<&str>) -> Result<Reference, Error> {
    let (name, version) = path.split_once('/').unwrap_or((path, ""));
    if !is_name(name) {
        return Err(malformed("a secret's name has 1 to 127 letters, digits and hyphens"));
    }
    let version = match version.strip_suffix('/').unwrap_or(version) {
        "" => None,
        version if is_version(version) => Some(version.to_ascii_lowercase()),
        _ if name.eq_ignore_ascii_case("secrets") => {
            return Err(malformed("with `akv://` the name follows the vault, without `secrets/`"));
        }
        _ => return Err(malformed("a version has 32 hexadecimal digits")),
    };
    Ok(Reference { vault, name: name.to_owned(), version, pointer: parse_pointer(query)? })
}

/// Parses the option `json=<pointer>`.
fn parse_pointer(query: Option<&str>) -> Result<Option<String>, Error> {
    let mut pointer = None;
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let Some(("json", value)) = pair.split_once('=') else {
            return Err(malformed("an option is not `json=<pointer>`"));
        };
        let value = unescaped(value).ok_or_else(|| malformed("the JSON pointer is not UTF-8"))?;
        if !is_pointer(&value) {
            return Err(malformed(
                "a JSON pointer is empty or begins with `/`, and has `~` only in `~0` and `~1`",
            ));
        }
        if pointer.replace(value.into_owned()).is_some() {
            return Err(malformed("`json=` is repeated"));
        }
    }
    Ok(pointer)
}

/// Whether a text can be a secret's name.
/// <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#vault-name-and-object-name>
pub(super) fn is_name(text: &str) -> bool {
    (1..=127).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether a text can be a secret's version.
pub(super) fn is_version(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a text is a JSON pointer (RFC 6901).
fn is_pointer(text: &str) -> bool {
    (text.is_empty() || text.starts_with('/'))
        && text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
}

/// The error of a malformed reference, before the reference is added to it.
pub(super) fn malformed(why: &str) -> Error {
    Error::new(Id::ReferenceMalformed, format!("reading a reference: {why}"))
}
