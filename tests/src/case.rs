//! A conformance case: one TOML file that says what the environment is, what is called, what must be
//! sent, what comes back, and what becomes of it. Nothing in it knows who runs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use time::OffsetDateTime;

/// One case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// What rule it shows, in one sentence.
    pub purpose: String,
    /// All variables there are.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The reference of a secret to get.
    pub get: Option<String>,
    /// The resource to get a token for.
    pub token: Option<String>,
    /// How often the same call is made, in one process; each must end as expected.
    #[serde(default = "once")]
    pub times: usize,
    /// What must not show, besides what is seen to be secret in the exchanges.
    #[serde(default)]
    pub hidden: Vec<String>,
    /// What is sent, in order, nothing more and nothing less.
    #[serde(default, rename = "exchange")]
    pub exchanges: Vec<Exchange>,
    /// What comes of it.
    pub expect: Expect,
}

/// One request and its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exchange {
    /// Method and URL.
    pub request: String,
    /// All its headers but `accept` and those of HTTP itself; any other is a failure.
    #[serde(default)]
    pub with: BTreeMap<String, String>,
    /// No answer, for this reason.
    pub fail: Option<Fail>,
    /// The answer's status.
    #[serde(default = "ok")]
    pub status: u16,
    /// Its headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Its body, see [`rendered`].
    #[serde(default)]
    pub body: String,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Fail {
    /// Nobody listens, at any time.
    Refused,
    /// The server's certificate is of another CA, at any time.
    Untrusted,
    /// The connection ends inside the answer.
    Cut,
}

/// What comes of a case: a value, a token or an error.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The secret's value.
    pub value: Option<String>,
    /// The secret's version.
    pub version: Option<String>,
    /// The secret's content type.
    pub content_type: Option<String>,
    /// The token.
    pub token: Option<String>,
    /// Which source gave it.
    pub source: Option<String>,
    /// Which form of the source.
    pub endpoint: Option<String>,
    /// The client id that was asked for.
    pub client_id: Option<String>,
    /// Its life, seconds.
    pub expires_in: Option<i64>,
    /// The error.
    pub error: Option<Failure>,
}

/// An expected error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Failure {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// What its line must contain.
    #[serde(default)]
    pub says: Vec<String>,
    /// The status of the answer behind it.
    pub status: Option<u16>,
    /// The service's code.
    pub code: Option<String>,
    /// How long the service asked to be left alone.
    pub retry_after_ms: Option<u64>,
    /// The sources that were asked: `managed-identity (azure-ml): failed`.
    pub attempts: Option<Vec<String>>,
}

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

/// The cases of one folder.
#[derive(Debug)]
pub struct Suite {
    /// The folder's name.
    pub name: String,
    /// Each with the name of its file.
    pub cases: Vec<(String, Case)>,
}

/// The suites of a folder, which are its folders. A suite without a case is an error, and so is a
/// folder without a suite.
pub fn suites(folder: &Path) -> Result<Vec<Suite>, String> {
    let mut suites = Vec::new();
    for path in entries(folder)? {
        let mut cases = Vec::new();
        for file in entries(&path)? {
            let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            let case = Case::parse(&text).map_err(|e| format!("{}: {e}", file.display()))?;
            cases.push((stem(&file), case));
        }
        suites.push(Suite { name: stem(&path), cases });
    }
    Ok(suites)
}

impl Case {
    /// From the text of a file.
    pub fn parse(text: &str) -> Result<Self, String> {
        let case: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let results =
            [case.expect.value.is_some(), case.expect.token.is_some(), case.expect.error.is_some()];
        if case.get.is_some() == case.token.is_some() {
            return Err("it calls neither `get` nor `token`, or both".into());
        }
        if results.into_iter().filter(|is| *is).count() != 1 || case.times == 0 {
            return Err("it expects nothing, or several things".into());
        }
        if case.purpose.trim().is_empty() {
            return Err("it has no purpose".into());
        }
        Ok(case)
    }

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
            Outcome::Failed { kind, id, line, help, status, code, retry_after_ms, attempts } => {
                let Some(error) = &expect.error else { return Err(line.clone()) };
                same("the id", Some(&error.id), Some(id)).map_err(|e| format!("{e}: {line}"))?;
                same("the kind", Some(&error.kind), Some(kind))?;
                if_given("the status", error.status.as_ref(), status.as_ref())?;
                if_given("the code", error.code.as_ref(), code.as_ref())?;
                if_given("the patience", error.retry_after_ms.as_ref(), retry_after_ms.as_ref())?;
                if_given("the attempts", error.attempts.as_ref(), Some(attempts))?;
                if let Some(missing) = error.says.iter().find(|said| !line.contains(*said)) {
                    return Err(format!("`{missing}` is not in: {line}"));
                }
                let one_line =
                    !line.contains(['\n', '\r']) && !line.starts_with(char::is_uppercase);
                if one_line && !help.is_empty() {
                    Ok(())
                } else {
                    Err(format!("the form of: {line}"))
                }
            }
        }
    }
}

/// Puts moments in: `<now+3600>` as Unix seconds, `<iso now+3600>`, `<utc now+3600>`, and as App
/// Service writes them on Linux and Windows `<linux now+3600>`, `<windows now+3600>`.
pub fn rendered(text: &str, now: i64) -> String {
    let mut pieces = text.split('<');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once('>').and_then(|(inside, rest)| Some((moment(inside, now)?, rest))) {
            Some((moment, rest)) => out.extend([moment.as_str(), rest]),
            None => out.extend(["<", piece]),
        }
    }
    out
}

fn moment(text: &str, now: i64) -> Option<String> {
    let (form, seconds) = text.split_once("now+")?;
    let unix = now.checked_add(seconds.parse().ok()?)?;
    let at = OffsetDateTime::from_unix_timestamp(unix).ok()?;
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = at.to_hms();
    Some(match form {
        "" => unix.to_string(),
        "iso " => {
            format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.0000000+00:00")
        }
        "utc " => format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
        "linux " => {
            format!("{month:02}/{day:02}/{year} {hour:02}:{minute:02}:{second:02} +00:00")
        }
        "windows " => {
            let (half, hour) = (if hour < 12 { "AM" } else { "PM" }, (hour + 11) % 12 + 1);
            format!("{month}/{day}/{year} {hour}:{minute:02}:{second:02} {half} +00:00")
        }
        _ => return None,
    })
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

/// What is in a folder, sorted; nothing is an error.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("{}: {error}", folder.display());
    let read = fs::read_dir(folder).map_err(failed)?;
    let mut paths = read
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    paths.sort();
    if paths.is_empty() {
        Err(format!("{}: nothing is in it", folder.display()))
    } else {
        Ok(paths)
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn once() -> usize {
    1
}

fn ok() -> u16 {
    200
}
