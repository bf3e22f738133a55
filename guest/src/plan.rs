//! What a role must see, so that a host can grant exactly that. Pure functions.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use crate::{
    credential,
    error::Error,
    settings::{Lookup, Settings},
    url::Url,
    vault::{self, Reference},
};

/// A server that may be talked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Name in lower case, or IP literal without brackets.
    pub host: String,
    /// Never 0.
    pub port: u16,
    /// How it is trusted.
    pub trust: Trust,
    /// What for.
    pub purpose: Purpose,
}

/// How a server is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Plain HTTP.
    None,
    /// By the host's roots.
    Roots,
    /// By the SHA-1 of its certificate, in lower case.
    Pinned(String),
    /// By roots of its own.
    Private {
        /// Who may have issued its certificate.
        issuers: Certificates,
        /// The name in its certificate, where it is not the host's.
        name: Option<String>,
    },
}

/// Certificates to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificates {
    /// In this file.
    File(String),
    /// In this text.
    Text(String),
}

/// Files that may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// This one.
    Path(String),
    /// Those in a folder that end so.
    Folder(String, &'static str),
}

/// A private key that the host holds and signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name at the host.
    pub name: &'static str,
    /// Its file.
    pub path: String,
    /// The variable with the file's password.
    pub password_variable: Option<&'static str>,
}

/// A program that the host runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name at the host.
    pub name: &'static str,
    /// What to look for in `PATH`.
    pub command: &'static str,
    /// Groups of arguments, with `{value}`s.
    pub arguments: &'static [&'static [&'static str]],
    /// Variables, with the same.
    pub variables: &'static [(&'static str, &'static str)],
}

/// What an authority is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Giving tokens to this machine.
    IdentityEndpoint,
    /// Giving tokens over the network.
    TokenAuthority,
    /// Holding secrets.
    Vault,
}

/// What is resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A secret, by its reference.
    Secret(String),
    /// A vault, in each form in which it may be listed.
    Vault(String),
}

/// The same, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Its canonical form.
    pub reference: String,
    /// The vault.
    pub authority: Authority,
    /// The secret's name; none of a vault.
    pub name: Option<String>,
    /// Its version, if the reference has one.
    pub version: Option<String>,
}

/// What the credentials need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The environment variables that decide.
    pub variables: Vec<String>,
    /// The servers that the chain may ask, in its order.
    pub authorities: Vec<Authority>,
    /// The files that it may read.
    pub files: Vec<File>,
    /// The keys that sign for it.
    pub keys: Vec<Key>,
    /// The programs that it may have run.
    pub programs: Vec<Program>,
    /// Whether a person must be told something.
    pub tells: bool,
}

/// Resolves a secret or a vault.
pub fn resolve(what: &Subject, settings: &[(String, String)]) -> Result<Resolved, Error> {
    let settings = Settings::read(&|name| find(settings, name))?;
    let (vault, reference, name, version) = match what {
        Subject::Secret(reference) => {
            let parsed = Reference::parse(reference, &settings)?;
            let reference = parsed.canonical();
            (parsed.vault, reference, Some(parsed.name), parsed.version)
        }
        Subject::Vault(vault) => {
            let vault = vault::reference::vault(vault, &settings)?;
            let reference = vault::reference::canonical(&vault);
            (vault, reference, None, None)
        }
    };
    Ok(Resolved { reference, authority: authority(&vault, Purpose::Vault), name, version })
}

/// Says what the credentials need: without `values` which variables, with them which servers.
pub fn needs(settings: &[(String, String)], values: &[(String, String)]) -> Result<Needs, Error> {
    let lookup = |name: &str| find(settings, name).or_else(|| find(values, name));
    let lookup: Lookup<'_> = &lookup;
    let settings = Settings::read(lookup)?;
    let of_settings = [
        "AZURE_TOKEN_CREDENTIALS",
        "AZURE_AUTHORITY_HOST",
        "AZURE_ADDITIONALLY_ALLOWED_TENANTS",
        "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH",
    ];
    let of_chain = if settings.chain.auto { credential::SERVICE } else { &[] };
    let of_sources = settings.chain.labels.iter().flat_map(|label| label.variables());
    let mut variables: Vec<String> = Vec::new();
    for name in of_settings.iter().chain(of_chain).chain(of_sources) {
        if !variables.iter().any(|known| known == name) {
            variables.push((*name).to_owned());
        }
    }
    let mut needs = Needs { variables, ..Needs::default() };
    if !values.is_empty() {
        credential::needs(lookup, &settings, &mut needs);
    }
    Ok(needs)
}

pub(crate) fn authority(url: &Url, purpose: Purpose) -> Authority {
    let trust = if url.secure { Trust::Roots } else { Trust::None };
    Authority { host: url.host.clone(), port: url.port, trust, purpose }
}

fn find(variables: &[(String, String)], name: &str) -> Option<String> {
    let value = variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    value.filter(|value| !value.is_empty())
}
