//! Files of secrets for `vaultlet dev`: a JSON object of values or of objects that describe them, or
//! lines `NAME=VALUE`.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use vaultlet_dev::Seed;
use vaultlet_host::Kind;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::references::env_file;
use crate::{given_file, streams};

/// The limit of a file's size, in bytes: a thousand secrets of full size.
const LIMIT: u64 = 32 << 20;

/// Reads a file of secrets; `-` is stdin.
pub(crate) fn read(file: &Path) -> Result<Vec<(String, Seed)>, Failure> {
    let doing = format!("reading the secrets of `{}`", file.display());
    let text = load(file).map_err(|error| {
        let message = format!("{doing}: {}", error.to_string().to_lowercase());
        Failure::own(Kind::InvalidArgument, "seed-file", message, "name a file that can be read")
    })?;
    parse(&text).map_err(|what| {
        let help = "write a JSON object {\"NAME\":\"value\"}, or lines NAME=VALUE";
        Failure::own(Kind::InvalidArgument, "seed-file", format!("{doing}: {what}"), help)
    })
}

fn load(file: &Path) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let read = if file == Path::new("-") {
        streams::check_stdin()?;
        io::stdin().lock().take(LIMIT + 1).read_to_string(&mut text)?
    } else {
        given_file::open(file)?.take(LIMIT + 1).read_to_string(&mut text)?
    };
    if u64::try_from(read).is_ok_and(|read| read > LIMIT) {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file has more than 32 MiB"));
    }
    Ok(text)
}

/// Reads the secrets. The error says what is wrong without quoting the text.
fn parse(text: &str) -> Result<Vec<(String, Seed)>, String> {
    if text.trim_start().starts_with('{') {
        let described: BTreeMap<String, Described> = serde_json::from_str(text)
            .map_err(|e| format!("the JSON is not an object of secrets, near line {}", e.line()))?;
        return described.into_iter().map(|(name, it)| Ok((name, it.seed()?))).collect();
    }
    // The vault says which names are good.
    let named = env_file::parse_named(text, |name| !name.is_empty(), "it has no name");
    let named = named.map_err(|malformed| format!("line {}: {}", malformed.line, malformed.why))?;
    Ok(named.into_iter().map(|(name, value)| (name.to_owned(), Seed::from(&*value))).collect())
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Described {
    Value(String),
    Members(Box<Members>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Members {
    value: String,
    content_type: Option<String>,
    enabled: Option<bool>,
    not_before: Option<Moment>,
    expires: Option<Moment>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Seconds(i64),
    Text(String),
}

impl Described {
    fn seed(self) -> Result<Seed, String> {
        let members = match self {
            Self::Value(value) => return Ok(Seed::from(value)),
            Self::Members(members) => *members,
        };
        let mut seed = Seed::from(members.value).with_enabled(members.enabled.unwrap_or(true));
        if let Some(content_type) = members.content_type {
            seed = seed.with_content_type(content_type);
        }
        if let Some(moment) = members.not_before {
            seed = seed.with_not_before(moment.seconds()?);
        }
        if let Some(moment) = members.expires {
            seed = seed.with_expires(moment.seconds()?);
        }
        Ok(members.tags.into_iter().fold(seed, |seed, (name, value)| seed.with_tag(name, value)))
    }
}

impl Moment {
    fn seconds(self) -> Result<i64, String> {
        match self {
            Self::Seconds(seconds) => Ok(seconds),
            Self::Text(text) => OffsetDateTime::parse(&text, &Rfc3339)
                .map(OffsetDateTime::unix_timestamp)
                .map_err(|_| "a time is neither Unix seconds nor RFC 3339".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        parse(text).unwrap().into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn both_forms_are_read() {
        let json = r#"{"a":"1","b-2":{"value":"2","contentType":"t","enabled":false,
            "expires":"2030-01-01T00:00:00Z","notBefore":5,"tags":{"k":"v"}}}"#;
        assert_eq!(names(json), ["a", "b-2"]);
        let lines = "# comment\n\nexport a = 1\nb-2='it is'\nc=\"two\\nlines\"\nd=\n";
        assert_eq!(names(lines), ["a", "b-2", "c", "d"]);
        assert_eq!(names(""), [""; 0]);
    }

    #[test]
    fn refusals_do_not_quote() {
        for text in [
            "{\"a\":5}",
            "{\"a\":{\"value\":\"hunter2\",\"vaule\":\"hunter2\"}}",
            "{\"a\":{\"value\":\"hunter2\",\"expires\":\"hunter2\"}}",
            "hunter2",
            "a='hunter2",
            "=hunter2",
            "a=\"hunter2",
        ] {
            let error = parse(text).err().unwrap();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
