//! What is sent and what comes back: over HTTP, from a program, from a key.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

/// One request and its answer; or a run of a program, or a use of a key, both of which a host does
/// and the core asks for by HTTP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exchange {
    /// Method and URL.
    pub request: Option<String>,
    /// The program and what is given to it: `azure-cli?resource=…`.
    pub program: Option<String>,
    /// The key, and how it signs: `client-certificate?algorithm=PS256`.
    pub key: Option<String>,

    /// All its headers but `accept` and those of HTTP itself; any other is a failure.
    #[serde(default)]
    pub with: BTreeMap<String, String>,
    /// The form that is sent.
    pub form: Option<BTreeMap<String, String>>,
    /// The JSON that is sent.
    pub json: Option<String>,
    /// What the assertion in the form says, by the names of its header and of its claims.
    pub assertion: Option<BTreeMap<String, String>>,

    /// No answer, for this reason.
    pub fail: Option<Fail>,
    /// The answer's status.
    #[serde(default = "ok")]
    pub status: u16,
    /// Its headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Its body.
    #[serde(default)]
    pub body: String,

    /// The program's arguments.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Variables that it gets besides those of the process.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// How it ends.
    #[serde(default)]
    pub exit: u8,
    /// What it says.
    #[serde(default)]
    pub stdout: String,
    /// What it says besides.
    #[serde(default)]
    pub stderr: String,
    /// There is no such program, at any time.
    #[serde(default)]
    pub missing: bool,
    /// It never ends.
    #[serde(default)]
    pub slow: bool,
}

/// What an exchange is with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A server.
    Http,
    /// A program.
    Program,
    /// A key.
    Key,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Fail {
    /// Nobody listens, at any time.
    Refused,
    /// The server's certificate is of another CA, at any time.
    Untrusted,
    /// The connection ends inside the answer.
    Cut,
}

impl Exchange {
    /// What it is with.
    pub fn kind(&self) -> Kind {
        match (&self.program, &self.key) {
            (Some(_), _) => Kind::Program,
            (_, Some(_)) => Kind::Key,
            _ => Kind::Http,
        }
    }

    /// Its URL, when it is with a server.
    pub fn url(&self) -> &str {
        self.request.as_deref().and_then(|request| request.split(' ').nth(1)).unwrap_or_default()
    }

    /// As one text: the request, ` <name>: <value>` for each header, sorted, ` | <body>`.
    pub fn text(&self) -> String {
        let mut with = self.with.clone();
        let body = match (&self.form, &self.json) {
            (Some(form), _) => Some(("application/x-www-form-urlencoded", encoded(form))),
            (None, Some(json)) => Some(("application/json", json.clone())),
            (None, None) => None,
        };
        if let Some((kind, _)) = body {
            with.entry("content-type".into()).or_insert_with(|| kind.into());
        }
        let mut text = match (&self.program, &self.key) {
            (Some(program), _) => format!("GET http://programs.vaultlet.internal/{program}"),
            (_, Some(key)) => {
                let method = if key.contains('?') { "POST" } else { "GET" };
                format!("{method} http://keys.vaultlet.internal/{key}")
            }
            _ => self.request.clone().unwrap_or_default(),
        };
        for (name, value) in &with {
            let _ = write!(text, " {name}: {value}");
        }
        if let Some((_, body)) = body.filter(|(_, body)| !body.is_empty()) {
            let _ = write!(text, " | {body}");
        }
        text
    }

    /// The assertion that the form of this text has.
    pub fn assertion(text: &str) -> Option<&str> {
        let (_, body) = text.split_once(" | ")?;
        body.split('&').find_map(|field| field.strip_prefix("client_assertion="))
    }

    pub(super) fn is_whole(&self) -> Result<(), String> {
        let kinds = [self.request.is_some(), self.program.is_some(), self.key.is_some()];
        if kinds.into_iter().filter(|is| *is).count() != 1 {
            return Err("an exchange is none of `request`, `program` and `key`, or several".into());
        }
        if self.form.is_some() && self.json.is_some() {
            return Err("an exchange sends two bodies".into());
        }
        let of_program = !self.arguments.is_empty()
            || !self.variables.is_empty()
            || self.missing
            || self.slow
            || [&self.stdout, &self.stderr].iter().any(|text| !text.is_empty());
        if of_program != self.program.is_some() {
            return Err(format!("{}: a program has arguments, nothing else has", self.text()));
        }
        if self.assertion.is_some() && self.form.is_none() {
            return Err(format!("{}: there is no form to have an assertion", self.text()));
        }
        Ok(())
    }
}

/// A form, its fields in alphabetical order; `<*>` stays.
fn encoded(form: &BTreeMap<String, String>) -> String {
    let fields: Vec<String> = form
        .iter()
        .map(|(name, value)| {
            let pieces: Vec<String> = value.split("<*>").map(escaped).collect();
            format!("{name}={}", pieces.join("<*>"))
        })
        .collect();
    fields.join("&")
}

/// All but the unreserved characters of RFC 3986.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn ok() -> u16 {
    200
}
