//! Compares the actual result of a call with the expected one.

use super::{Failure, Step};

/// The actual result of one call.
#[derive(Debug)]
pub enum Actual {
    /// A secret.
    Secret {
        /// The secret's value.
        value: String,
        /// The secret's version.
        version: Option<String>,
        /// The secret's content type.
        content_type: Option<String>,
    },
    /// Names or versions, in order.
    Items(Vec<String>),
    /// A token.
    Token {
        /// The token.
        token: String,
        /// The source that the token comes from.
        source: String,
        /// The source's endpoint.
        endpoint: Option<String>,
        /// The requested client id.
        client_id: Option<String>,
        /// The end of the token's lifetime in Unix seconds.
        expires_on: i64,
    },
    /// An error.
    Failed {
        /// The error's kind.
        kind: String,
        /// The error's id.
        id: String,
        /// The line that people read.
        line: String,
        /// The advice on what to do.
        help: String,
        /// The HTTP status of the response behind the error.
        status: Option<u16>,
        /// The service's error code.
        code: Option<String>,
        /// The wait that the service requested, in milliseconds.
        retry_after_ms: Option<u64>,
        /// The attempts, written as in [`Failure::attempts`].
        attempts: Vec<String>,
    },
}

impl Step {
    /// Compares the actual result with the expected one. `from` and `to` are Unix seconds before and
    /// after the call; a token's lifetime starts at some moment between them.
    pub fn check(&self, actual: &Actual, from: i64, to: i64) -> Result<(), String> {
        let expect = &self.expect;
        match actual {
            Actual::Secret { value, version, content_type } => {
                same("the value", expect.value.as_ref(), Some(value))?;
                if_given("the version", expect.version.as_ref(), version.as_ref())?;
                if_given("the content type", expect.content_type.as_ref(), content_type.as_ref())
            }
            Actual::Items(items) => same("the list", expect.items.as_ref(), Some(items)),
            Actual::Token { token, source, endpoint, client_id, expires_on } => {
                same("the token", expect.token.as_ref(), Some(token))?;
                if_given("the source", expect.source.as_ref(), Some(source))?;
                if_given("the endpoint", expect.endpoint.as_ref(), endpoint.as_ref())?;
                same("the client id", expect.client_id.as_ref(), client_id.as_ref())?;
                match expect.expires_in {
                    Some(lifetime) if !(from + lifetime..=to + lifetime).contains(expires_on) => {
                        let actual = expires_on.saturating_sub(from);
                        Err(format!("its lifetime is {actual} s, not {lifetime} s"))
                    }
                    _ => Ok(()),
                }
            }
            Actual::Failed { line, .. } => match &expect.error {
                Some(error) => failed(error, actual),
                None => Err(line.clone()),
            },
        }
    }
}

/// Checks that a person saw exactly these lines, in which `<*>` is any text without a space.
pub fn said(
    expected: &[String],
    actual: &[String],
    matches: fn(&str, &str) -> bool,
) -> Result<(), String> {
    if expected.len() == actual.len() && expected.iter().zip(actual).all(|(e, a)| matches(e, a)) {
        Ok(())
    } else {
        Err(format!("told: {actual:?}, not {expected:?}"))
    }
}

fn failed(error: &Failure, actual: &Actual) -> Result<(), String> {
    let Actual::Failed { kind, id, line, help, status, code, retry_after_ms, attempts } = actual
    else {
        return Ok(());
    };
    same("the id", Some(&error.id), Some(id)).map_err(|e| format!("{e}: {line}"))?;
    same("the kind", Some(&error.kind), Some(kind))?;
    if_given("the status", error.status.as_ref(), status.as_ref())?;
    if_given("the code", error.code.as_ref(), code.as_ref())?;
    if_given("the wait", error.retry_after_ms.as_ref(), retry_after_ms.as_ref())?;
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
