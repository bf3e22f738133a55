//! The plan of a role as plain data: the variables, files, keys, programs and servers that it needs.

use alloc::{string::String, vec::Vec};

use crate::words::url::Url;

/// A server that a role may send requests to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The host name in lower case, or an IP address without brackets.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
    /// How the server is trusted.
    pub trust: Trust,
    /// What the role uses the server for.
    pub purpose: Purpose,
}

/// How a server is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Plain HTTP: the server does not prove its identity.
    None,
    /// The certificate is checked against the host's roots.
    Roots,
    /// The certificate must have this SHA-1, in lower case.
    Pinned(String),
    /// The certificate is checked against roots for this server only.
    Private {
        /// The certificates of the issuers.
        issuers: Certificates,
        /// The name in the certificate, if it differs from the host.
        name: Option<String>,
    },
}

/// Certificates to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificates {
    /// Certificates in a file, as PEM.
    File(String),
    /// Certificates as PEM text.
    Text(String),
}

/// Files that may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// One file.
    Path(String),
    /// The files in a folder whose names have this ending.
    Folder(String, &'static str),
}

/// A private key that the host holds and signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The name by which the component refers to the key.
    pub name: &'static str,
    /// The path of the key file.
    pub path: String,
    /// The environment variable that holds the file's password.
    pub password_variable: Option<&'static str>,
}

/// A program that the host runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The name by which the component refers to the program.
    pub name: &'static str,
    /// The command that the host looks up in `PATH`.
    pub command: &'static str,
    /// Groups of arguments with placeholders, `{resource}`. A group without a value is left out.
    pub arguments: &'static [&'static [&'static str]],
    /// Environment variables, whose values may have placeholders too.
    pub variables: &'static [(&'static str, &'static str)],
}

/// What a role uses a server for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Getting tokens from an identity endpoint of this machine or network.
    IdentityEndpoint,
    /// Getting tokens from the token authority.
    TokenAuthority,
    /// Reading secrets from a vault.
    Vault,
}

/// What the credentials of the chain need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The environment variables that the sources read.
    pub variables: Vec<String>,
    /// The variables of all sources that hold a secret or lead to one.
    pub secrets: &'static [&'static str],
    /// The servers, in the order of the chain.
    pub servers: Vec<Server>,
    /// The files that sources read.
    pub files: Vec<File>,
    /// The private keys that sign assertions.
    pub keys: Vec<Key>,
    /// The programs that the host runs for a developer's login.
    pub programs: Vec<Program>,
    /// Whether a source prompts a person.
    pub tells: bool,
}

/// A server with the usual trust: none for `http`, the host's roots for `https`.
pub(crate) fn server(url: &Url, purpose: Purpose) -> Server {
    let trust = if url.secure { Trust::Roots } else { Trust::None };
    Server { host: url.host.clone(), port: url.port, trust, purpose }
}
