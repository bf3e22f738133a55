//! Whether what came of a call is what was expected.

use super::{Call, Failure};

/// What came of one call, in whichever form.
#[derive(Debug)]
pub enum Outcome {
    /// A secret.
    Secret {
        /// Its value.
        value: String,
        /// Its version.
        version: Option<String>,
        /// Its content type.
        content_type: Option<String>,
    },
    /// Names or versions, in their order.
    Items(Vec<String>),
    /// A token.
    Token {
        /// The token.
        token: String,
        /// Which source gave it.
        source: String,
        /// Which form of the source.
        endpoint: Option<String>,
        /// The client id that was asked for.
        client_id: Option<String>,
        /// Unix seconds.
        expires_on: i64,
    },
    /// An error.
    Failed {
        /// Its kind.
        kind: String,
        /// Its id.
        id: String,
        /// What people read.
        line: String,
        /// What to do.
        help: String,
        /// The status of the answer behind it.
        status: Option<u16>,
        /// The service's code.
        code: Option<String>,
        /// How long the service asked to be left alone.
        retry_after_ms: Option<u64>,
        /// As [`Failure::attempts`].
        attempts: Vec<String>,
    },
}

impl Call {
    /// Compares. `from` and `to` are Unix seconds before and after the calls: a life counts from
    /// somewhere between them.
    pub fn check(&self, outcome: &Outcome, from: i64, to: i64) -> Result<(), String> {
        let expect = &self.expect;
        match outcome {
            Outcome::Secret { value, version, content_type } => {
                same("the value", expect.value.as_ref(), Some(value))?;
                if_given("the version", expect.version.as_ref(), version.as_ref())?;
                if_given("the content type", expect.content_type.as_ref(), content_type.as_ref())
            }
            Outcome::Items(items) => same("the list", expect.items.as_ref(), Some(items)),
            Outcome::Token { token, source, endpoint, client_id, expires_on } => {
                same("the token", expect.token.as_ref(), Some(token))?;
                if_given("the source", expect.source.as_ref(), Some(source))?;
                if_given("the endpoint", expect.endpoint.as_ref(), endpoint.as_ref())?;
                same("the client id", expect.client_id.as_ref(), client_id.as_ref())?;
                match expect.expires_in {
                    Some(life) if !(from + life..=to + life).contains(expires_on) => Err(format!(
                        "it lives for {}, not {life} s",
                        expires_on.saturating_sub(from)
                    )),
                    _ => Ok(()),
                }
            }
            Outcome::Failed { line, .. } => match &expect.error {
                Some(error) => failed(error, outcome),
                None => Err(line.clone()),
            },
        }
    }
}

/// Whether a person was told just these lines, in which `<*>` is anything without a space.
pub fn said(
    expected: &[String],
    told: &[String],
    matches: fn(&str, &str) -> bool,
) -> Result<(), String> {
    if expected.len() == told.len() && expected.iter().zip(told).all(|(e, t)| matches(e, t)) {
        Ok(())
    } else {
        Err(format!("told: {told:?}, not {expected:?}"))
    }
}

fn failed(error: &Failure, outcome: &Outcome) -> Result<(), String> {
    let Outcome::Failed { kind, id, line, help, status, code, retry_after_ms, attempts } = outcome
    else {
        return Ok(());
    };
    same("the id", Some(&error.id), Some(id)).map_err(|e| format!("{e}: {line}"))?;
    same("the kind", Some(&error.kind), Some(kind))?;
    if_given("the status", error.status.as_ref(), status.as_ref())?;
    if_given("the code", error.code.as_ref(), code.as_ref())?;
    if_given("the patience", error.retry_after_ms.as_ref(), retry_after_ms.as_ref())?;
    if_given("the attempts", error.attempts.as_ref(), Some(attempts))?;
    if let Some(missing) = error.says.iter().find(|said| !line.contains(*said)) {
        return Err(format!("`{missing}` is not in: {line}"));
    }
    if let Some(there) = error.says_not.iter().find(|said| line.contains(*said)) {
        return Err(format!("`{there}` is in: {line}"));
    }
    let one_line = !line.contains(['\n', '\r']) && !line.starts_with(char::is_uppercase);
    if one_line && !help.is_empty() { Ok(()) } else { Err(format!("the form of: {line}")) }
}

fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: Option<&T>,
    got: Option<&T>,
) -> Result<(), String> {
    if expected == got { Ok(()) } else { Err(format!("{what} is {got:?}, not {expected:?}")) }
}

fn if_given<T: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: Option<&T>,
    got: Option<&T>,
) -> Result<(), String> {
    if expected.is_none() { Ok(()) } else { same(what, expected, got) }
}
