//! Values of variables that are references, with the options that only a command which sets variables has:
//! `as=`, `optional` and `default=`.

use std::ffi::OsStr;

use percent_encoding::percent_decode_str;
use vaultlet_core::error::Error;
use vaultlet_core::settings::{Cloud, Settings};
use vaultlet_core::vault::Reference;
use vaultlet_host::Kind;

use crate::failure::Failure;

/// How a variable gives its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// It is the value.
    #[default]
    Env,
    /// It is the path of a file with the value.
    File,
    /// It is the path of a descriptor with the value.
    Fd,
}

/// A reference, as a variable's value has it.
pub(super) struct Asked {
    /// The secret, without a part of its value.
    pub(super) secret: String,
    /// A JSON pointer into the value.
    pub(super) pointer: Option<String>,
    pub(super) form: Form,
    /// Whether the variable is unset when there is no such secret.
    pub(super) is_optional: bool,
    /// The value when there is no such secret.
    pub(super) default: Option<String>,
}

/// Whether a value begins as a reference does.
pub(super) fn is_like_one(value: &OsStr) -> bool {
    let starts = ["akv://", "@Microsoft.KeyVault(", "https://"];
    value.to_str().is_some_and(|text| starts.iter().any(|start| starts_with(text.trim(), start)))
}

/// Reads a variable's value: `None` if it is no reference. Spaces around a reference are ignored, as they are
/// everywhere else.
pub(super) fn read(value: &OsStr, settings: &Settings) -> Option<Result<Asked, Failure>> {
    let text = value.to_str()?.trim();
    let is_named = starts_with(text, "akv://") || starts_with(text, "@Microsoft.KeyVault(");
    if !is_named && !starts_with(text, "https://") {
        return None;
    }
    let (asked, rest) = match split(text) {
        Ok(split) => split,
        Err(failure) => return is_named.then_some(Err(failure)),
    };
    match Reference::parse(&rest, settings) {
        Ok(reference) if is_named || Cloud::of_vault(&reference.vault).is_some() => {
            let pointer = reference.pointer.clone();
            let secret = Reference { pointer: None, ..reference }.canonical();
            Some(Ok(Asked { secret, pointer, ..asked }))
        }
        // Any other URL is a value like others.
        Ok(_) => None,
        Err(error) => is_named.then(|| Err(Error::into(error))),
    }
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// Takes the options of this file out of a reference; the others stay.
fn split(text: &str) -> Result<(Asked, String), Failure> {
    let mut asked = Asked {
        secret: String::new(),
        pointer: None,
        form: Form::Env,
        is_optional: false,
        default: None,
    };
    // In the form of App Service, what is between the parentheses is the reference.
    let end = if text.starts_with('@') { text.rfind(')').map_or(0, |at| at + 1) } else { 0 };
    let Some(at) = text.get(end..).and_then(|rest| rest.find('?')) else {
        return Ok((asked, text.to_owned()));
    };
    let (start, query) = text.split_at(end + at);
    let query = query.trim_start_matches('?');
    let mut others = Vec::new();
    let mut seen = Vec::new();
    for option in query.split('&') {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        if !["as", "optional", "default"].contains(&name) {
            others.push(option);
            continue;
        }
        if seen.contains(&name) {
            return Err(malformed(text, &format!("`{name}` stands in it twice")));
        }
        seen.push(name);
        match (name, value) {
            ("as", Some("env")) => asked.form = Form::Env,
            ("as", Some("file")) => asked.form = Form::File,
            ("as", Some("fd")) => asked.form = Form::Fd,
            ("as", _) => return Err(malformed(text, "`as=` takes `env`, `file` or `fd`")),
            ("optional", None) => asked.is_optional = true,
            ("optional", Some(_)) => return Err(malformed(text, "`optional` takes no value")),
            (_, Some(value)) => {
                let decoded = percent_decode_str(value).decode_utf8();
                let decoded = decoded.map_err(|_| malformed(text, "`default=` is not UTF-8"))?;
                asked.default = Some(decoded.into_owned());
            }
            (_, None) => return Err(malformed(text, "`default` takes a value: `default=TEXT`")),
        }
    }
    if asked.is_optional && asked.default.is_some() {
        return Err(malformed(text, "it has both `optional` and `default=`"));
    }
    let query = others.join("&");
    let rest = if query.is_empty() { start.to_owned() } else { format!("{start}?{query}") };
    Ok((asked, rest))
}

fn malformed(text: &str, why: &str) -> Failure {
    let message = format!("reading the reference `{}`: {why}", text.escape_debug());
    let help = "write akv://VAULT/NAME?as=file&optional, or leave the option out";
    Failure::own(Kind::InvalidArgument, "reference-malformed", message, help)
}
