//! The text that the commands print: those of the component and, through the interface `render`, those of
//! the native program.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{usage, variables};
use crate::{
    error::{Error, Id},
    token::Holder,
    vault::{Listed, Properties},
    words::{
        date,
        json::{self, Object},
        scrub::Scrubbed,
    },
};

/// A form of output, as `--output` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Values, names or versions alone.
    Value,
    /// JSON on one line.
    Json,
    /// `export NAME='value'` for a shell.
    Env,
    /// Columns for a person.
    Table,
}

/// The place of some items in a whole answer, whose parts are rendered one by one and joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Whether the answer begins with these items.
    pub first: bool,
    /// Whether the answer ends with these items.
    pub last: bool,
}

impl Part {
    /// An answer in one part.
    pub const WHOLE: Self = Self { first: true, last: true };
}

/// A secret to render.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    /// The reference as it was given; for variables it may be `NAME=REFERENCE`.
    pub reference: &'a str,
    /// The secret's properties.
    pub properties: &'a Properties,
    /// The plaintext.
    pub value: &'a str,
}

/// The properties of a token: everything but the token itself.
#[derive(Clone, Copy, Debug)]
pub struct TokenProperties<'a> {
    /// When the token expires, in Unix seconds.
    pub expires_on: i64,
    /// When the token is due for renewal, in Unix seconds.
    pub refresh_on: i64,
    /// The resource that the token is for.
    pub resource: &'a str,
    /// The source that gave the token.
    pub source: &'a str,
    /// The form of the source.
    pub endpoint: Option<&'a str>,
    /// The client id in the token request, if there was one.
    pub client_id: Option<&'a str>,
}

/// Bytes that JSON makes of one byte at most.
const ESCAPED: usize = 6;
/// Bytes of a rendered secret besides its value and its tags.
const REST: usize = 4 << 10;

/// Renders secrets as JSON or as variables of a shell.
pub fn secrets(items: &[Item<'_>], part: Part, format: Format) -> Result<Scrubbed<String>, Error> {
    match format {
        Format::Json => {
            let render =
                |item: &Item<'_>| secret(item.reference, item.properties, Some(item.value));
            let mut objects: Vec<_> = items.iter().map(render).collect();
            if let ([object], Part::WHOLE) = (objects.as_mut_slice(), part) {
                object.push('\n');
                return Ok(core::mem::take(object));
            }
            Ok(array(&objects, part))
        }
        Format::Env => {
            // Text that must grow would leave a copy behind.
            let length = items.iter().map(|item| 4 * item.value.len() + REST);
            let mut text = Scrubbed::new(String::with_capacity(length.sum()));
            let secrets: Vec<_> =
                items.iter().map(|item| (item.reference, item.properties.name.clone())).collect();
            for (item, name) in items.iter().zip(variables::names(&secrets)?) {
                if item.value.contains('\0') {
                    let what = "the value has a null character, which no variable can hold";
                    let message = format!("setting `{name}`: {what}");
                    return Err(Error::new(Id::VariableRefused, message)
                        .with_help("read it by `-o value` or `-o json`"));
                }
                text.push_str("export ");
                text.push_str(&name);
                text.push_str("='");
                text.push_str(&Scrubbed::new(item.value.replace('\'', r"'\''")));
                text.push_str("'\n");
            }
            Ok(text)
        }
        Format::Value | Format::Table => Err(usage("secrets are rendered as `json` or `env`")),
    }
}

/// Renders items of a list as a table, as JSON, or as names or versions alone.
pub fn listing(
    listed: &Listed,
    items: &[Properties],
    part: Part,
    format: Format,
) -> Result<Scrubbed<String>, Error> {
    let mut text = String::new();
    match format {
        Format::Json => {
            let render = |item| secret(&listed.reference(item), item, None);
            let objects: Vec<_> = items.iter().map(render).collect();
            return Ok(array(&objects, part));
        }
        Format::Value => {
            for item in items {
                text.push_str(name(item));
                text.push('\n');
            }
        }
        Format::Table => {
            if part.first {
                let name = if listed.is_versions() { "VERSION" } else { "NAME" };
                row(&mut text, ["ENABLED", "CREATED", "EXPIRES", name]);
            }
            for item in items {
                let enabled = match item.enabled {
                    Some(true) => "yes",
                    Some(false) => "no",
                    None => "-",
                };
                let moment = |at: Option<i64>| at.map_or_else(|| "-".to_owned(), date::text);
                row(&mut text, [enabled, &moment(item.created), &moment(item.expires), name(item)]);
            }
        }
        Format::Env => return Err(usage("a list is rendered as `table`, `json` or `value`")),
    }
    Ok(text.into())
}

/// Renders a token as JSON.
pub fn token(token: &str, properties: TokenProperties<'_>) -> Scrubbed<String> {
    let mut text = Object::default()
        .text("token", token)
        .some_number("expiresOn", Some(properties.expires_on))
        .some_number("refreshOn", Some(properties.refresh_on))
        .text("resource", properties.resource)
        .text("source", properties.source)
        .some_text("endpoint", properties.endpoint)
        .some_text("clientId", properties.client_id)
        .finish();
    text.push('\n');
    text
}

/// Renders the identity that a token belongs to, as a table or as JSON.
pub fn whoami(
    properties: TokenProperties<'_>,
    holder: &Holder,
    format: Format,
) -> Result<Scrubbed<String>, Error> {
    let Holder { tenant, object_id, app_id, upn, audience, notes } = holder;
    let members = [
        ("source", Some(properties.source)),
        ("endpoint", properties.endpoint),
        ("tenant", tenant.as_deref()),
        ("objectId", object_id.as_deref()),
        ("appId", app_id.as_deref()),
        ("upn", upn.as_deref()),
        ("audience", audience.as_deref()),
    ];
    match format {
        Format::Json => {
            let mut object = Object::default();
            for (name, value) in members {
                object.some_text(name, value);
            }
            let notes: Vec<_> = notes.iter().map(|note| json::text(note)).collect();
            object.some_number("expiresOn", Some(properties.expires_on));
            let mut text = object.raw("notes", &json::array(&notes)).finish();
            text.push('\n');
            Ok(text)
        }
        Format::Table => {
            let mut text = String::new();
            let notes = notes.iter().map(|note| ("note", Some(note.as_str())));
            for (name, value) in members.into_iter().chain(notes) {
                if let Some(value) = value {
                    text.push_str(&format!("{name:9} {value}\n"));
                }
            }
            Ok(text.into())
        }
        Format::Value | Format::Env => Err(usage("an identity is rendered as `table` or `json`")),
    }
}

/// Renders a secret as a JSON object, without a value as an item of a list.
fn secret(reference: &str, properties: &Properties, value: Option<&str>) -> Scrubbed<String> {
    let tags = properties.tags.iter().map(|(name, tag)| name.len() + tag.len());
    let length = value.map_or(0, |value| ESCAPED * (value.len() + tags.sum::<usize>()) + REST);
    let mut object = Object::with_capacity(length);
    object
        .text("reference", reference)
        .text("vault", &properties.vault)
        .text("name", &properties.name)
        .some_text("version", properties.version.as_deref())
        .some_text("value", value)
        .some_text("contentType", properties.content_type.as_deref())
        .some_boolean("enabled", properties.enabled)
        .some_number("created", properties.created)
        .some_number("updated", properties.updated)
        .some_number("notBefore", properties.not_before)
        .some_number("expires", properties.expires)
        .some_text("recoveryLevel", properties.recovery_level.as_deref())
        .some_number("recoverableDays", properties.recoverable_days.map(i64::from))
        .some_boolean("managed", properties.managed)
        .some_text("kid", properties.kid.as_deref());
    if !properties.tags.is_empty() {
        let mut tags = Object::default();
        for (name, tag) in &properties.tags {
            tags.text(name, tag);
        }
        object.raw("tags", &tags.finish());
    }
    object.finish()
}

/// Renders a part of a JSON array.
fn array(items: &[Scrubbed<String>], part: Part) -> Scrubbed<String> {
    let length = items.iter().map(|item| item.len() + 1);
    let mut text = Scrubbed::new(String::with_capacity(length.sum::<usize>() + 3));
    for (at, item) in items.iter().enumerate() {
        text.push(if at == 0 && part.first { '[' } else { ',' });
        text.push_str(item);
    }
    if items.is_empty() && part.first {
        text.push('[');
    }
    if part.last {
        text.push_str("]\n");
    }
    text
}

/// The name of an item in a list: its version in a list of versions, else its name.
fn name(item: &Properties) -> &str {
    item.version.as_deref().unwrap_or(&item.name)
}

fn row(text: &mut String, [enabled, created, expires, name]: [&str; 4]) {
    text.push_str(&format!("{enabled:7}  {created:20}  {expires:20}  {name}\n"));
}
