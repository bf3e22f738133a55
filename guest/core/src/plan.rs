//! What a role must be able to see, as plain data: variables, files, keys, programs, servers.

use alloc::{string::String, vec::Vec};

use crate::words::url::Url;

/// A server that may be talked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
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

/// What the credentials need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The environment variables that decide.
    pub variables: Vec<String>,
    /// The servers that the chain may ask, in its order.
    pub servers: Vec<Server>,
    /// The files that it may read.
    pub files: Vec<File>,
    /// The keys that sign for it.
    pub keys: Vec<Key>,
    /// The programs that it may have run.
    pub programs: Vec<Program>,
    /// Whether a person must be told something.
    pub tells: bool,
}

pub(crate) fn server(url: &Url, purpose: Purpose) -> Server {
    let trust = if url.secure { Trust::Roots } else { Trust::None };
    Server { host: url.host.clone(), port: url.port, trust, purpose }
}
