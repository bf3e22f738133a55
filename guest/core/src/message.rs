//! Quoting what a server said, safely: no secrets, no characters that a terminal obeys or that nobody sees, a
//! limited length.

use alloc::{format, string::String, vec::Vec};

use crate::{
    context::Response,
    limits::EXCERPT,
    words::{
        json::{self, Value},
        secret::SecretString,
        url::Url,
        visible::{is_visible, on_one_line},
    },
};

/// The error in a response's body, in any of the known forms.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The error code: the innermost one, if there are several.
    pub(crate) code: Option<String>,
    /// The outer error code, if there is an inner one.
    pub(crate) outer: Option<String>,
    /// The message, as an [`excerpt`].
    pub(crate) message: Option<String>,
}

impl Fault {
    /// What the server said, to follow a statement: its words, or else the server that it redirects to and the
    /// content type of a body that is neither JSON nor text.
    pub(crate) fn detail(&self, response: &Response) -> String {
        if let Some(message) = &self.message {
            return format!(": {message}");
        }
        let kind = content_type(response);
        match response.header("location").map(Url::parse) {
            Some(Ok(to)) if response.status < 400 => {
                format!(", to {}{kind}", to.short_host_and_port())
            }
            _ => kind,
        }
    }
}

/// Reads the error of a response that is not a success: `{"error":{"code","message","innererror"}}`,
/// `{"error","error_description"}`, `{"message"}` or plain text. `hidden` are secrets that the server may
/// repeat; they are replaced.
pub(crate) fn fault(response: &Response, hidden: &[&SecretString]) -> Fault {
    let mut fault = Fault::default();
    let body = response.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&response.body);
    if let Some(body) = json::parse(body) {
        fault.message = words_of(&body, &["error_description", "message", "Message", "detail"]);
        fault.code = body.text("error");
        if let Some(error) = body.get("error").filter(|error| error.as_text().is_none()) {
            fault.code = error.text("code");
            fault.message = error.text("message").or(fault.message);
            let mut inner = error.get("innererror");
            while let Some(error) = inner {
                if let Some(code) = error.text("code") {
                    fault.outer = fault.code.replace(code).or(fault.outer);
                }
                inner = error.get("innererror");
            }
        }
        fault.message = fault.message.or_else(|| body.as_text().map(String::from));
    } else if response.header("content-type").is_none_or(is_text) && !is_page(response) {
        fault.message = core::str::from_utf8(body).ok().map(String::from);
    }
    fault.code = fault.code.and_then(|code| as_code(&code, hidden));
    fault.outer = fault.outer.and_then(|code| as_code(&code, hidden));
    fault.message = fault.message.map(|text| excerpt(&text, hidden)).filter(|t| !t.is_empty());
    fault
}

/// The first of these members that is a text and not blank.
pub(crate) fn words_of(value: &Value<'_>, names: &[&str]) -> Option<String> {
    names.iter().filter_map(|name| value.text(name)).find(|text| !text.trim().is_empty())
}

fn is_text(content_type: &str) -> bool {
    content_type.trim_start().get(..10).is_some_and(|t| t.eq_ignore_ascii_case("text/plain"))
}

/// Whether a body is a page or other markup: of a proxy, a portal or a login, and not of an API.
pub(crate) fn is_page(response: &Response) -> bool {
    let kind = response.header("content-type").unwrap_or_default();
    find(kind, "html").is_some() || response.body.trim_ascii_start().starts_with(b"<")
}

/// The content type of a body that is not JSON, in brackets, to follow a statement about it.
pub(crate) fn content_type(response: &Response) -> String {
    let kind = response.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    // Names of types have no digits, and what has some may be a secret that a server repeats.
    let is_type = kind.len() <= 64
        && kind.bytes().all(|b| b.is_ascii_alphabetic() || b"/+.-".contains(&b))
        && !is_like_token(kind);
    let kind = if is_type { kind } else { "" };
    let is_json = find(kind, "json").is_some();
    match is_page(response) {
        true if kind.is_empty() || is_json => " (it is a page of markup)".into(),
        false if kind.is_empty() || is_json => String::new(),
        _ => format!(" (its content type is {kind})"),
    }
}

/// One line of at most [`EXCERPT`] characters, without the hidden secrets and without anything that looks
/// like a token.
pub(crate) fn excerpt(text: &str, hidden: &[&SecretString]) -> String {
    let mask = |mut text: String| {
        for secret in hidden.iter().map(|secret| secret.reveal()).filter(|s| !s.is_empty()) {
            text = text.replace(secret, "…");
        }
        text
    };
    let masked = mask(String::from(text));
    // A secret may have been taken apart by characters that are not shown.
    let joined: String = masked.chars().filter(|c| is_visible(*c)).collect();
    let text = match mask(joined.clone()) {
        text if text != joined => text,
        _ => on_one_line(&masked).collect(),
    };
    let mut follows_scheme = false;
    let words: Vec<&str> = text
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| {
            let is_token = is_like_token(word) || follows_scheme && word.len() >= 20;
            follows_scheme = matches!(word, "Bearer" | "bearer" | "Basic" | "basic");
            if is_token { "…" } else { word }
        })
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

/// Whether a word looks like a token, or like a field with one.
fn is_like_token(word: &str) -> bool {
    let is_field = |name: &str| {
        let rest = find(word, name).and_then(|at| word.as_bytes().get(at + name.len()..));
        let rest = rest.map(|rest| rest.strip_prefix(b"\"").unwrap_or(rest));
        rest.is_some_and(|rest| matches!(rest, [b'=' | b':', _, _, ..]))
    };
    word.len() > 100
        || word.contains("eyJ")
        || ["token", "secret", "password", "sig", "assertion"].into_iter().any(is_field)
}

/// Where a text has a word of ASCII characters, in any case.
#[inline(never)]
pub(crate) fn find(text: &str, word: &str) -> Option<usize> {
    text.as_bytes().windows(word.len()).position(|w| w.eq_ignore_ascii_case(word.as_bytes()))
}

/// A caller's text without characters that a terminal would obey or that nobody sees.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if is_visible(c) { c } else { '?' }).collect()
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
