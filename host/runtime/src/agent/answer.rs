//! What the agent says, as JSON: that of `vaultlet get -o json`, and that of errors. A secret must be the one that
//! was asked for, and its value is never decoded into memory that is not scrubbed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use vaultlet_core::vault::Reference;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::limits;
use crate::secret::{Properties, Secret};

/// What an agent says of itself. This is for the command line only, and no part of this crate's stable interface.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AgentStatus {
    /// The version of the agent's program.
    pub version: String,
    /// The secrets that it holds.
    pub secrets: u64,
    /// Those of them that are older than they should be.
    #[serde(default)]
    pub stale: u64,
}

type Members<'a> = BTreeMap<&'a str, &'a RawValue>;

const NOT_A_SECRET: &str = "its response is not the JSON of a secret";
const ANOTHER: &str = "its response is of another secret than the one that was asked for";

/// Reads a secret. The error says what is wrong with the response.
pub(super) fn secret(body: &[u8], asked: &Reference) -> Result<Secret, &'static str> {
    of_members(&serde_json::from_slice(body).map_err(|_| NOT_A_SECRET)?, asked)
}

/// Reads secrets, in the order of their references.
pub(super) fn secrets(body: &[u8], asked: &[Reference]) -> Result<Vec<Secret>, &'static str> {
    let all: Vec<Members<'_>> =
        serde_json::from_slice(body).map_err(|_| "its response is not the JSON of secrets")?;
    if all.len() != asked.len() {
        return Err("its response has not as many secrets as were asked for");
    }
    all.iter().zip(asked).map(|(members, asked)| of_members(members, asked)).collect()
}

/// Reads an error.
pub(super) fn error(body: &[u8]) -> Option<Error> {
    let body = Some(body).filter(|body| body.len() <= limits::AGENT_ERROR_MAX)?;
    let error = vaultlet_core::error::Error::from_json(body)?;
    let is_id = |id: &str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
    };
    is_id(&error.id).then(|| error.into())
}

pub(super) fn status(body: &[u8]) -> Result<AgentStatus, &'static str> {
    serde_json::from_slice(body).map_err(|_| "its response is not the JSON of its status")
}

fn of_members(members: &Members<'_>, asked: &Reference) -> Result<Secret, &'static str> {
    let vault: String = required(members, "vault")?;
    let name: String = required(members, "name")?;
    let version: Option<String> = optional(members, "version")?;
    let is_version = |version: &str| {
        let of_answer = asked.version.as_ref();
        of_answer.is_none_or(|asked| asked.eq_ignore_ascii_case(version))
    };
    if vault != asked.vault.short_host_and_port()
        || !name.eq_ignore_ascii_case(&asked.name)
        || !version.as_deref().map_or(asked.version.is_none(), is_version)
    {
        return Err(ANOTHER);
    }
    let value = members.get("value").and_then(|raw| unquoted(raw.get())).ok_or(NOT_A_SECRET)?;
    if optional(members, "stale")? == Some(true) {
        tracing::warn!(target: "vaultlet", "the agent's value of `{name}` of {vault} is an old one: it cannot ask anew");
    }
    let tags: Option<BTreeMap<String, String>> = optional(members, "tags")?;
    let properties = Properties {
        vault,
        // As a vault's own answer is told.
        name: asked.name.clone(),
        version,
        content_type: optional(members, "contentType")?,
        enabled: optional(members, "enabled")?,
        created: optional(members, "created")?,
        updated: optional(members, "updated")?,
        not_before: optional(members, "notBefore")?,
        expires: optional(members, "expires")?,
        recovery_level: optional(members, "recoveryLevel")?,
        recoverable_days: optional(members, "recoverableDays")?,
        managed: optional(members, "managed")?,
        kid: optional(members, "kid")?,
        tags: tags.unwrap_or_default().into_iter().collect(),
    };
    Ok(Secret::new(properties, value))
}

fn optional<T: DeserializeOwned>(
    members: &Members<'_>,
    name: &str,
) -> Result<Option<T>, &'static str> {
    let Some(raw) = members.get(name) else { return Ok(None) };
    serde_json::from_str(raw.get()).map_err(|_| NOT_A_SECRET)
}

fn required<T: DeserializeOwned>(members: &Members<'_>, name: &str) -> Result<T, &'static str> {
    optional(members, name)?.ok_or(NOT_A_SECRET)
}

/// The text of a JSON string. Libraries decode an escape by way of memory that is not scrubbed.
fn unquoted(source: &str) -> Option<Zeroizing<String>> {
    let mut rest = source.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = Zeroizing::new(String::with_capacity(rest.len()));
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut chars = escape.chars();
        let (c, after) = match chars.next()? {
            'u' => escaped(chars.as_str())?,
            c => {
                let meant = match c {
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    '"' | '\\' | '/' => c,
                    _ => return None,
                };
                (meant, chars.as_str())
            }
        };
        text.push(c);
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

/// The character after `\u`, which may be two units of UTF-16, and what follows it.
fn escaped(text: &str) -> Option<(char, &str)> {
    let unit = |text: &str| u16::from_str_radix(text.get(..4)?, 16).ok();
    let first = unit(text)?;
    let rest = text.get(4..)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Some((char::from_u32(first.into())?, rest));
    }
    let second = rest.strip_prefix("\\u")?;
    let mut pair = char::decode_utf16([first, unit(second)?]);
    Some((pair.next()?.ok()?, second.get(4..)?))
}

#[cfg(test)]
mod tests {
    use vaultlet_core::settings::Settings;

    use super::*;

    fn asked(reference: &str) -> Reference {
        let settings = Settings::read(&|_: &str| None).unwrap();
        Reference::parse(reference, &settings).unwrap()
    }

    /// Compares with a library what is decoded without it.
    #[test]
    fn strings_are_those_of_a_library() {
        for text in [
            "",
            "plain é 漢 👍",
            "\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}",
            "{\"a\":\"\\\\\\\"\"}",
            "\\u0041",
            "ends with \\",
        ] {
            let json = serde_json::to_string(text).unwrap();
            assert_eq!(unquoted(&json).unwrap().as_str(), text, "{json}");
        }
        for (json, expected) in [
            (r#""\u0041\u00e9\u6f22\ud83d\udc4d\/""#, Some("Aé漢👍/")),
            (r#""\u0000""#, Some("\0")),
            (r#""\ud83d""#, None),
            (r#""\udc4d""#, None),
            (r#""\ud83d\u0041""#, None),
            (r#""\u00""#, None),
            (r#""\x""#, None),
            ("5", None),
            ("\"", None),
        ] {
            assert_eq!(unquoted(json).as_ref().map(|text| text.as_str()), expected, "{json}");
        }
    }

    #[test]
    fn a_secret_is_the_one_that_was_asked_for() {
        let version = "0123456789abcdef0123456789abcdef";
        let whole = format!(
            r#"{{"reference":"akv://job/pw","vault":"job.vault.azure.net","name":"PW","version":"{version}","value":"a\"b",
            "contentType":"text/plain","enabled":true,"created":1,"updated":2,"notBefore":3,"expires":4,"recoveryLevel":"Purgeable",
            "recoverableDays":7,"managed":false,"kid":"k","tags":{{"b":"2","a":"1"}},"stale":true,"later":[1]}}"#
        );
        let read = secret(whole.as_bytes(), &asked("akv://job/pw")).unwrap();
        assert_eq!(read.reveal(), "a\"b");
        let properties = read.properties();
        assert_eq!((properties.name.as_str(), properties.expires), ("pw", Some(4)));
        assert_eq!(properties.tags, [("a".into(), "1".into()), ("b".into(), "2".into())]);
        let with_version = format!("akv://job/pw/{version}");
        assert!(secret(whole.as_bytes(), &asked(&with_version)).is_ok());
        for reference in ["akv://job/other", "akv://team/pw", "akv://job.vault.azure.net:8443/pw"] {
            let refused = secret(whole.as_bytes(), &asked(reference));
            assert_eq!(refused.err(), Some(ANOTHER), "{reference}");
        }
        let other = format!("akv://job/pw/{}", version.replace('0', "9"));
        assert_eq!(secret(whole.as_bytes(), &asked(&other)).err(), Some(ANOTHER));
        for (from, to) in [
            (r#""value":"a\"b","#, ""),
            (r#""value":"a\"b""#, r#""value":5"#),
            (r#""value":"a\"b""#, r#""value":null"#),
            (r#""value":"a\"b""#, "\"value\":\"a\u{1}b\""),
            (r#""expires":4"#, r#""expires":"soon""#),
            (r#""tags":{"#, r#""tags":[{"#),
            (r#""name":"PW","#, ""),
            (r#"{"reference""#, r#"[{"reference""#),
        ] {
            let body = whole.replacen(from, to, 1);
            assert_ne!(body, whole, "{from}");
            assert_eq!(
                secret(body.as_bytes(), &asked("akv://job/pw")).err(),
                Some(NOT_A_SECRET),
                "{to}"
            );
        }
    }

    #[test]
    fn an_error_is_whole_or_none() {
        let json = r#"{"error":{"id":"no-identity","kind":"not-configured","message":"x","help":"y","status":403,
            "code":"C","requestId":"r","retryAfterMs":1500,"attempts":[{"source":"environment","outcome":"failed","message":"z"}]}}"#;
        let read = error(json.as_bytes()).unwrap();
        assert_eq!(
            (read.kind.as_str(), read.status, read.code.as_deref()),
            ("not-configured", Some(403), Some("C"))
        );
        assert_eq!(read.request_id.as_deref(), Some("r"));
        assert_eq!(read.retry_after.map(|it| it.as_millis()), Some(1_500));
        assert_eq!(read.attempts.len(), 1);
        for json in [
            "",
            "{}",
            r#"{"error":{}}"#,
            r#"{"error":{"id":"x","kind":"new","message":"x"}}"#,
            r#"{"error":{"id":"X Y","kind":"denied","message":"x"}}"#,
            r#"{"error":{"id":"","kind":"denied","message":"x"}}"#,
        ] {
            assert!(error(json.as_bytes()).is_none(), "{json}");
        }
        let long =
            json.replacen("\"x\"", &format!("\"{}\"", "x".repeat(limits::AGENT_ERROR_MAX)), 1);
        assert!(error(long.as_bytes()).is_none());
    }
}
