//! An exchange: a request and its response, a run of a program, or a use of a key.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

/// A request and its response, a run of a program, or a use of a key. The core asks its host for
/// the latter two by HTTP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exchange {
    /// The request's method and URL.
    pub request: Option<String>,
    /// The program and its input: `azure-cli?resource=…`.
    pub program: Option<String>,
    /// The key and how it signs: `client-certificate?algorithm=PS256`.
    pub key: Option<String>,

    /// The request's headers, without `accept` and those of HTTP itself; any other is a failure.
    #[serde(default)]
    pub with: BTreeMap<String, String>,
    /// The request's body, as a form.
    pub form: Option<BTreeMap<String, String>>,
    /// The request's body, as JSON.
    pub json: Option<String>,
    /// The header fields and claims of the assertion in the form, by name.
    pub assertion: Option<BTreeMap<String, String>>,

    /// Why there is no response.
    pub fail: Option<Fail>,
    /// The response's status.
    #[serde(default = "ok")]
    pub status: u16,
    /// The response's headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The response's body.
    #[serde(default)]
    pub body: String,

    /// The program's arguments.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Variables that the program has besides those of the process.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// The program's exit code.
    #[serde(default)]
    pub exit: u8,
    /// The program's standard output.
    #[serde(default)]
    pub stdout: String,
    /// The program's standard error.
    #[serde(default)]
    pub stderr: String,
    /// Whether the program is not installed, throughout the case.
    #[serde(default)]
    pub missing: bool,
    /// Whether the program never ends.
    #[serde(default)]
    pub slow: bool,
}

/// The other side of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A server.
    Http,
    /// A program.
    Program,
    /// A key.
    Key,
}

/// Why there is no response.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Fail {
    /// Connections are refused, throughout the case.
    Refused,
    /// The server's certificate is from an untrusted CA, throughout the case.
    Untrusted,
    /// The connection ends in the middle of the response.
    Cut,
}

impl Exchange {
    /// The other side of the exchange.
    pub fn kind(&self) -> Kind {
        match (&self.program, &self.key) {
            (Some(_), _) => Kind::Program,
            (_, Some(_)) => Kind::Key,
            _ => Kind::Http,
        }
    }

    /// The URL of a request; empty for programs and keys.
    pub fn url(&self) -> &str {
        self.request.as_deref().and_then(|request| request.split(' ').nth(1)).unwrap_or_default()
    }

    /// The request as one line: method and URL, ` <name>: <value>` for each header, sorted, then
    /// ` | <body>`.
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

    /// The assertion in the form of a request that is written as one line.
    pub fn assertion(text: &str) -> Option<&str> {
        let (_, body) = text.split_once(" | ")?;
        body.split('&').find_map(|field| field.strip_prefix("client_assertion="))
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        let kinds = [self.request.is_some(), self.program.is_some(), self.key.is_some()];
        if kinds.into_iter().filter(|is| *is).count() != 1 {
            return Err("an exchange needs exactly one of `request`, `program` and `key`".into());
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
            return Err(format!("{}: a program has arguments, and nothing else has", self.text()));
        }
        if self.assertion.is_some() && self.form.is_none() {
            return Err(format!("{}: an assertion needs a form", self.text()));
        }
        Ok(())
    }
}

/// The form with its fields in alphabetical order; `<*>` is not escaped.
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

/// Percent-encodes all but the unreserved characters of RFC 3986.
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
