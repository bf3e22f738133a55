//! Values of variables that are references, with the options that only a command which sets variables has:
//! `as=`, `optional` and `default=`.

use std::borrow::Cow;
use std::ffi::OsStr;

use percent_encoding::percent_decode_str;
use vaultlet_core::secret::SecretString;
use vaultlet_core::settings::Settings;
use vaultlet_core::vault::reference::{is_meant, may_be_one};
use vaultlet_core::vault::{Reference, pointer};
use zeroize::Zeroizing;

use crate::error::{Error, Kind};
use crate::secret::{Properties, Secret};

/// How a variable gives its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// It is the value.
    #[default]
    Env,
    /// It is the path of a file with the value.
    File,
    /// It is the path of a descriptor with the value.
    Fd,
}

/// A reference, as a variable's value has it.
pub struct Asked {
    /// The secret, without a part of its value, in canonical form.
    pub secret: String,
    /// A JSON pointer into the value.
    pub pointer: Option<String>,
    /// How the variable gives the value.
    pub form: Form,
    reference: Reference,
    /// Whether the variable is unset when there is no such secret.
    is_optional: bool,
    /// The value when there is no such secret.
    default: Option<String>,
}

/// What a variable's reference leads to. Has no `Debug`: it holds a secret.
pub enum Found {
    /// The secret, or the part of it that the reference names.
    Secret(Secret),
    /// There is no such secret: the text that the reference gives in its place.
    Default(Secret),
    /// There is no such secret, and the reference says that this is no error.
    Nothing,
}

/// The options of this file.
#[derive(Default)]
struct Options {
    form: Form,
    is_optional: bool,
    default: Option<String>,
}

impl Asked {
    fn new(reference: Reference, options: Options) -> Self {
        let Options { form, is_optional, default } = options;
        let pointer = reference.pointer.clone();
        let reference = Reference { pointer: None, ..reference };
        Self { secret: reference.canonical(), pointer, form, reference, is_optional, default }
    }

    /// Whether the reference names a version, which never changes.
    pub fn has_version(&self) -> bool {
        self.reference.version.is_some()
    }

    /// What the variable gets, by what getting the secret gave.
    pub fn find(&self, secret: Result<&Secret, &Error>) -> Result<Found, Error> {
        let found = secret.map_err(Clone::clone).and_then(|secret| match &self.pointer {
            Some(pointer) => part(secret, pointer),
            None => Ok(secret.copy()),
        });
        match found {
            Ok(secret) => Ok(Found::Secret(secret)),
            Err(error) if is_about_absence(&error) => match (&self.default, self.is_optional) {
                (Some(default), _) => Ok(Found::Default(self.secret_of(default))),
                (None, true) => Ok(Found::Nothing),
                (None, false) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// A secret of which nothing is known but where it would be.
    fn secret_of(&self, text: &str) -> Secret {
        let Reference { vault, name, version, .. } = &self.reference;
        let properties = Properties {
            vault: vault.short_host_and_port(),
            name: name.clone(),
            version: version.clone(),
            content_type: None,
            enabled: None,
            created: None,
            updated: None,
            not_before: None,
            expires: None,
            recovery_level: None,
            recoverable_days: None,
            managed: None,
            kid: None,
            tags: Vec::new(),
        };
        Secret::new(properties, Zeroizing::new(text.to_owned()))
    }
}

/// The part of a secret that a JSON pointer leads to, with the properties of the secret.
fn part(secret: &Secret, pointer: &str) -> Result<Secret, Error> {
    let part = pointer::follow(&SecretString::from(secret.reveal()), pointer)?;
    Ok(Secret::new(secret.properties().clone(), Zeroizing::new(part.reveal().to_owned())))
}

/// Whether there is no such secret, version or member.
fn is_about_absence(error: &Error) -> bool {
    ["secret-not-found", "pointer-missing"].contains(&error.id.as_str())
}

/// Whether a value begins as a reference does.
pub fn is_like_one(value: &OsStr) -> bool {
    may_be_one(&value.to_string_lossy())
}

/// Reads a variable's value: `None` if it is no reference. Spaces around a reference are ignored, as they are
/// everywhere else.
pub fn read(value: &OsStr, settings: &Settings) -> Option<Result<Asked, Error>> {
    let Some(text) = value.to_str() else {
        let help = "write it with letters, digits, hyphens and `%XX` for everything else";
        let error = || refused("reading the reference: it is not UTF-8".to_owned(), help);
        return is_meant(&value.to_string_lossy()).then(|| Err(error()));
    };
    let text = text.trim();
    if !may_be_one(text) {
        return None;
    }
    let (options, rest) = match split(text) {
        Ok(split) => split,
        Err(error) => return is_meant(text).then_some(Err(error)),
    };
    let reference = Reference::recognize(&with_query(&rest, settings), settings)?;
    Some(reference.map_err(Error::from).map(|reference| Asked::new(reference, options)))
}

/// A reference in the form of App Service with options after it, as `akv://…`; every other one as it is.
pub fn with_query<'a>(text: &'a str, settings: &Settings) -> Cow<'a, str> {
    let read = || {
        let (start, query) = text.split_at(text.find(")?")? + 1);
        let reference = Reference::parse(start, settings).ok()?;
        let is_plain = reference.pointer.is_none() && reference.vault.secure;
        is_plain.then(|| Cow::Owned(reference.canonical() + query))
    };
    if text.starts_with('@') { read().unwrap_or(text.into()) } else { text.into() }
}

/// Takes the options of this file out of a reference; the others stay.
fn split(text: &str) -> Result<(Options, String), Error> {
    let mut options = Options::default();
    // In the form of App Service, what is between the parentheses is the reference.
    let end = match text.starts_with('@') {
        true => text.find(")?").map_or(text.len(), |at| at + 1),
        false => 0,
    };
    let Some(at) = text.get(end..).and_then(|rest| rest.find('?')) else {
        return Ok((options, text.to_owned()));
    };
    let (start, query) = text.split_at(end + at);
    let query = query.strip_prefix('?').unwrap_or(query);
    let mut others = Vec::new();
    let mut seen = Vec::new();
    for option in query.split('&') {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        if !["as", "optional", "default"].contains(&name) {
            // A URL may have a query of its own.
            if is_meant(text) && !["", "json"].contains(&name) {
                return Err(malformed(text, "one of its options is not known", OPTIONS));
            }
            others.push(option);
            continue;
        }
        if seen.contains(&name) {
            return Err(malformed(text, &format!("`{name}` stands in it twice"), ONE));
        }
        seen.push(name);
        match (name, value) {
            ("as", Some("env")) => options.form = Form::Env,
            ("as", Some("file")) => options.form = Form::File,
            ("as", Some("fd")) => options.form = Form::Fd,
            ("as", _) => return Err(malformed(text, "`as=` takes `env`, `file` or `fd`", FORM)),
            ("optional", None) => options.is_optional = true,
            ("optional", Some(_)) => {
                return Err(malformed(text, "`optional` takes no value", OPTIONAL));
            }
            (_, Some(value)) => {
                let decoded = percent_decode_str(value).decode_utf8();
                let decoded =
                    decoded.map_err(|_| malformed(text, "`default=` is not UTF-8", DEFAULT))?;
                options.default = Some(decoded.into_owned());
            }
            (_, None) => {
                return Err(malformed(text, "`default` takes a value: `default=TEXT`", DEFAULT));
            }
        }
    }
    if options.is_optional && options.default.is_some() {
        return Err(malformed(text, "it has both `optional` and `default=`", ONE));
    }
    let query = others.join("&");
    let rest = if query.is_empty() { start.to_owned() } else { format!("{start}?{query}") };
    Ok((options, rest))
}

const OPTIONS: &str = "its options are `json=<pointer>`, `as=`, `default=` and `optional`";
const ONE: &str = "leave one of them out";
const FORM: &str = "write akv://VAULT/NAME?as=file, or leave the option out";
const OPTIONAL: &str = "write akv://VAULT/NAME?optional, or leave the option out";
const DEFAULT: &str = "write akv://VAULT/NAME?default=TEXT, or leave the option out";

/// What is before `@`, and the values of options, may be secret.
fn malformed(text: &str, why: &str, help: &str) -> Error {
    let start = text.split_once('?').map_or(text, |(start, _)| start);
    let at = start.rfind('@').filter(|at| *at > 0);
    let (hidden, shown) = match at.and_then(|at| start.get(at..)) {
        Some(rest) => ("…", rest),
        None => ("", start),
    };
    let shown = shown.escape_debug();
    refused(format!("reading the reference `{hidden}{shown}`: {why}"), help)
}

fn refused(message: String, help: &str) -> Error {
    Error::new(Kind::InvalidArgument, "reference-malformed", message, help)
}
