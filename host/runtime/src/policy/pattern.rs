//! Patterns of references: what stands in a policy's `reference`, in the agent's `--allow` and in a plugin's grant. A
//! pattern is written as a reference is, and each of its parts is compared with that part of the canonical form, so
//! that no `*` reaches beyond its part.
//!
//! A vault that is named without a host is one of the cloud that the *reference's* settings name.

use vaultlet_core::limits::REFERENCE;
use vaultlet_core::settings::{ALLOW_HTTP_LOOPBACK, CLOUD, Cloud, Settings};
use vaultlet_core::vault::{Reference, reference};

use crate::error::Error;

use super::canonical::Canonical;
use super::glob::is_like;

/// A pattern of references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    vault: Vault,
    name: String,
    /// Any version and none, unless there is one here.
    version: Option<String>,
    /// The whole value and any member, unless there is one here.
    pointer: Option<String>,
}

/// A pattern of vaults.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Vault {
    /// Of names of vaults.
    Named(String),
    /// Of vaults in canonical form.
    At(String),
}

/// Why a pattern is refused, and what to do.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) why: String,
    pub(crate) help: String,
}

impl Pattern {
    /// Parses a pattern of secrets, as policies have it: without options.
    pub(super) fn of_secrets(text: &str) -> Result<Self, Refused> {
        if text.contains('?') {
            return Err(refused(
                text,
                "it has options, and a secret is allowed with all its members",
                "leave out what follows the `?`",
            ));
        }
        Self::parse(text)
    }

    /// Parses a pattern that may name a member of the secret, too.
    pub(crate) fn parse(text: &str) -> Result<Self, Refused> {
        let text = text.trim();
        if text.len() > REFERENCE {
            return Err(refused(
                &text.chars().take(64).collect::<String>(),
                "it is too long",
                WHOLE,
            ));
        }
        if text.contains('*') {
            return parse_stars(text);
        }
        let (public, other) = (settings(Cloud::Public), settings(Cloud::China));
        let read = |settings: Result<Settings, Error>| Ok(Reference::parse(text, &settings?)?);
        let (reference, in_other) = match (read(public), read(other)) {
            (Ok(reference), Ok(in_other)) => (reference, in_other),
            (Err(error), _) | (_, Err(error)) => return Err(of_core(&error)),
        };
        let is_named = reference.vault != in_other.vault;
        let vault = vault_of(&reference, is_named);
        let Reference { name, version, pointer, .. } = reference;
        Ok(Self { vault, name, version, pointer })
    }

    /// Whether the pattern names a version.
    pub(super) fn has_version(&self) -> bool {
        self.version.is_some()
    }

    /// Whether the pattern covers a reference. One without a version covers every version, one without a JSON
    /// pointer the whole value and every member; a pointer must be the same.
    pub(crate) fn covers(&self, requested: &Canonical) -> bool {
        let vault = match &self.vault {
            Vault::At(pattern) => is_like(pattern.as_bytes(), requested.vault().as_bytes()),
            Vault::Named(pattern) => {
                let name = requested.vault_name.as_ref();
                name.is_some_and(|name| is_like(pattern.as_bytes(), name.as_bytes()))
            }
        };
        let version = |pattern: &String| {
            requested.version().is_some_and(|it| is_like(pattern.as_bytes(), it.as_bytes()))
        };
        vault
            && is_like(self.name.as_bytes(), requested.name.as_bytes())
            && self.version.as_ref().is_none_or(version)
            && self.pointer.as_ref().is_none_or(|it| requested.pointer() == Some(it))
    }

    /// The pattern as policies show it.
    pub(super) fn text(&self) -> String {
        let vault = match &self.vault {
            Vault::Named(name) => format!("akv://{name}/"),
            Vault::At(vault) if vault.starts_with("http:") => format!("{vault}/secrets/"),
            Vault::At(vault) => format!("{vault}/"),
        };
        let version = self.version.as_ref().map(|it| format!("/{it}")).unwrap_or_default();
        format!("{vault}{}{version}", self.name)
    }
}

/// The vault of a reference in the public cloud.
fn vault_of(reference: &Reference, is_named: bool) -> Vault {
    let suffix =
        |host: &str| Some(host.strip_suffix(Cloud::Public.suffix())?.strip_suffix('.')?.to_owned());
    match suffix(&reference.vault.host).filter(|_| is_named) {
        Some(name) => Vault::Named(name),
        None => Vault::At(reference::canonical(&reference.vault)),
    }
}

/// Settings of a cloud, under which every reference that there is can be read.
fn settings(cloud: Cloud) -> Result<Settings, Error> {
    let get = |name: &str| match name {
        name if name == ALLOW_HTTP_LOOPBACK.variable => Some("true".to_owned()),
        name if name == CLOUD.variable && cloud == Cloud::China => Some("china".to_owned()),
        _ => None,
    };
    Ok(Settings::read(&get)?)
}

/// Parses a pattern in which a `*` stands.
fn parse_stars(text: &str) -> Result<Pattern, Refused> {
    let text = &match text.strip_prefix('@') {
        Some(_) => of_app_service(text)?,
        None => text.to_owned(),
    };
    let is_wrong = |why: &str, help: &str| refused(text, why, help);
    let (scheme, rest) = text.split_once("://").ok_or_else(|| {
        is_wrong("it is not `akv://…`, `https://…` or `@Microsoft.KeyVault(…)`", WHOLE)
    })?;
    if text.contains(['?', '#']) {
        return Err(is_wrong("it has a `*` and options", "leave out one of them"));
    }
    let scheme = scheme.to_ascii_lowercase();
    let (vault, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = match scheme.as_str() {
        "akv" => path,
        "https" | "http" => path
            .strip_prefix("secrets/")
            .ok_or_else(|| is_wrong("its path is not `/secrets/<name>[/<version>]`", WHOLE))?,
        _ => {
            return Err(is_wrong(
                "it is not `akv://…`, `https://…` or `@Microsoft.KeyVault(…)`",
                WHOLE,
            ));
        }
    };
    if path.is_empty() {
        return Err(is_wrong("it names a vault and no secret", WHOLE));
    }
    let (name, version) = path.split_once('/').unwrap_or((path, ""));
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'*');
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err(is_wrong("a secret's name has letters, digits and hyphens", WHOLE));
    }
    let version = match version.strip_suffix('/').unwrap_or(version) {
        "" => None,
        version if is_version(version) => Some(version.to_ascii_lowercase()),
        _ => {
            return Err(is_wrong(
                "a version has 32 hexadecimal digits",
                "leave it out, or write `*`",
            ));
        }
    };
    let vault = match vault.contains('*') {
        true => vault_like(&scheme, vault).ok_or_else(|| is_wrong("its vault is none", WHOLE))?,
        // With a name that every vault may have.
        false => {
            Pattern::parse(&match scheme.as_str() {
                "akv" => format!("akv://{vault}/name"),
                _ => format!("{scheme}://{vault}/secrets/name"),
            })
            .map_err(|it| {
                is_wrong(it.why.split_once("`: ").map_or(&it.why, |(_, why)| why), &it.help)
            })?
            .vault
        }
    };
    Ok(Pattern { vault, name: name.to_owned(), version, pointer: None })
}

/// Whether a text can be a pattern of versions.
fn is_version(text: &str) -> bool {
    let is_whole = text.len() == 32 || (text.contains('*') && text.len() <= 32);
    is_whole && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'*')
}

/// A vault in which a `*` stands; `None` if it is no vault's.
fn vault_like(scheme: &str, text: &str) -> Option<Vault> {
    let text = text.to_ascii_lowercase();
    let is_of = |more: &[u8]| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'*') || more.contains(&b))
    };
    let is_any = text.bytes().all(|byte| byte == b'*');
    if scheme == "akv" && !is_any && is_of(b"") {
        return Some(Vault::Named(text));
    }
    if !is_of(b".:[]") {
        return None;
    }
    let (scheme, port) = if scheme == "http" { ("http", ":80") } else { ("akv", ":443") };
    Some(Vault::At(format!("{scheme}://{}", text.strip_suffix(port).unwrap_or(&text))))
}

/// A pattern in the form of App Service, in another one.
fn of_app_service(text: &str) -> Result<String, Refused> {
    let inner = text.split_once('(').and_then(|(start, rest)| {
        start.eq_ignore_ascii_case("@Microsoft.KeyVault").then_some(rest)?.strip_suffix(')')
    });
    let (mut uri, mut vault, mut name, mut version) = (None, None, None, None);
    let pairs = inner.unwrap_or_default().split(';').map(str::trim).filter(|pair| !pair.is_empty());
    let mut is_good = inner.is_some();
    for pair in pairs {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = match key.trim().to_ascii_lowercase().as_str() {
            "secreturi" => &mut uri,
            "vaultname" => &mut vault,
            "secretname" => &mut name,
            "secretversion" => &mut version,
            _ => {
                is_good = false;
                continue;
            }
        };
        is_good &= place.replace(value.trim()).is_none();
    }
    match (uri, vault, name, version.filter(|it| !it.is_empty())) {
        (Some(uri), None, None, None) if is_good => Ok(uri.to_owned()),
        (None, Some(vault), Some(name), None) if is_good => Ok(format!("akv://{vault}/{name}")),
        (None, Some(vault), Some(name), Some(version)) if is_good => {
            Ok(format!("akv://{vault}/{name}/{version}"))
        }
        _ => Err(refused(
            text,
            "it has neither `SecretUri` alone nor `VaultName` and `SecretName`",
            "write it as akv://VAULT/NAME",
        )),
    }
}

const WHOLE: &str = "write akv://VAULT/NAME, in which `*` stands for any characters but `/`";

fn refused(text: &str, why: &str, help: &str) -> Refused {
    let shown: String = crate::visible::on_one_line(text).collect();
    // What is before `@` in a URL may be secret.
    let shown = match shown.rfind('@').filter(|at| *at > 0) {
        Some(at) => format!("…{}", shown.get(at..).unwrap_or_default()),
        None => shown,
    };
    Refused { why: format!("the reference `{shown}`: {why}"), help: help.to_owned() }
}

/// The core's own words on a reference that is malformed.
fn of_core(error: &Error) -> Refused {
    let why = error.message.strip_prefix("reading ").unwrap_or(&error.message).to_owned();
    let help = if error.help.is_empty() { WHOLE.to_owned() } else { error.help.clone() };
    Refused { why, help }
}
