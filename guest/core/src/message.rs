//! Quoting what a server said, safely: no secrets, no control characters, a limited length.

use alloc::{string::String, vec::Vec};

use crate::{
    context::Response,
    limits::EXCERPT,
    words::{json, secret::SecretString},
};

/// The error in a response's body, in any of the known forms.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The error code: the inner one, if there are two.
    pub(crate) code: Option<String>,
    /// The outer error code, if there is an inner one.
    pub(crate) outer: Option<String>,
    /// The message, as an [`excerpt`].
    pub(crate) message: Option<String>,
}

/// Reads the error of a response that is not a success: `{"error":{"code","message","innererror"}}`,
/// `{"error","error_description"}`, `{"message"}` or plain text. `hidden` are secrets that the server may
/// repeat; they are replaced.
pub(crate) fn fault(response: &Response, hidden: &[&SecretString]) -> Fault {
    let mut fault = Fault::default();
    if let Some(body) = json::parse(&response.body) {
        fault.message = body.text("error_description").or_else(|| body.text("message"));
        fault.code = body.text("error");
        if let Some(error) = body.get("error").filter(|error| error.as_text().is_none()) {
            fault.code = error.text("code");
            fault.message = error.text("message").or(fault.message);
            let inner = error.get("innererror").and_then(|inner| inner.text("code"));
            if let Some(code) = inner {
                fault.outer = fault.code.replace(code);
            }
        }
    } else if response.header("content-type").is_none_or(|t| t.starts_with("text/plain")) {
        fault.message = core::str::from_utf8(&response.body).ok().map(String::from);
    }
    fault.code = fault.code.and_then(|code| as_code(&code, hidden));
    fault.outer = fault.outer.and_then(|code| as_code(&code, hidden));
    fault.message = fault.message.map(|text| excerpt(&text, hidden)).filter(|t| !t.is_empty());
    fault
}

/// One line of at most [`EXCERPT`] characters, without the hidden secrets and without anything that looks
/// like a token.
pub(crate) fn excerpt(text: &str, hidden: &[&SecretString]) -> String {
    let mut text = String::from(text);
    for secret in hidden.iter().map(|secret| secret.reveal()).filter(|s| !s.is_empty()) {
        text = text.replace(secret, "…");
    }
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .map(|word| if word.contains("eyJ") || word.len() > 100 { "…" } else { word })
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(EXCERPT) {
        Some((end, _)) => {
            let mut short = String::from(line.get(..end).unwrap_or_default());
            short.push('…');
            short
        }
        None => line.trim_end_matches(['.', ':', ' ']).into(),
    }
}

/// A caller's text without control characters, which a terminal would interpret.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The server's id of the request, if it looks like one.
pub(crate) fn request_id(response: &Response) -> Option<String> {
    let id = response.header("x-ms-request-id")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let is_id = (1..=64).contains(&id.len()) && id.bytes().all(plain) && !id.contains("eyJ");
    is_id.then(|| id.into())
}

/// An error code, which may have spaces (`Malformed backup blob`); none if it is too long.
fn as_code(code: &str, hidden: &[&SecretString]) -> Option<String> {
    let code = excerpt(code, hidden);
    (!code.is_empty() && code.len() <= 64).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(kind: &str, body: &str) -> Response {
        Response {
            status: 400,
            headers: vec![("content-type".into(), kind.into())],
            body: body.as_bytes().to_vec().into(),
        }
    }

    #[test]
    fn every_known_form_of_an_error_is_read() {
        for (kind, body, code, outer, message) in [
            (
                "application/json",
                r#"{"error":{"code":"Forbidden","message":"a\r\nb","innererror":{"code":"SecretDisabled"}}}"#,
                Some("SecretDisabled"),
                Some("Forbidden"),
                Some("a b"),
            ),
            (
                "application/json",
                r#"{"error":"invalid_request","error_description":"Identity not found"}"#,
                Some("invalid_request"),
                None,
                Some("Identity not found"),
            ),
            (
                "application/json",
                r#"{"statusCode":400,"message":"No User Assigned","correlationId":"x"}"#,
                None,
                None,
                Some("No User Assigned"),
            ),
            (
                "text/plain",
                "SSO failure: unable to retrieve a token.",
                None,
                None,
                Some("SSO failure: unable to retrieve a token"),
            ),
            ("text/html", "<html>no</html>", None, None, None),
            ("application/json", "", None, None, None),
            ("application/json", r#"{"error":7}"#, None, None, None),
            ("application/json", r#"{"error":{"code":null,"message":"m"}}"#, None, None, Some("m")),
        ] {
            let fault = fault(&answer(kind, body), &[]);
            assert_eq!(fault.code.as_deref(), code, "{body}");
            assert_eq!(fault.outer.as_deref(), outer, "{body}");
            assert_eq!(fault.message.as_deref(), message, "{body}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let secret = SecretString::from("hunter2");
        let text = "header hunter2 of token eyJhbGciOi.x.y\u{7}was wrong";
        assert_eq!(excerpt(text, &[&secret]), "header … of token … was wrong");
        assert_eq!(excerpt(&"ä ".repeat(300), &[]).chars().count(), EXCERPT + 1);
    }
}
