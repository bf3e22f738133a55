//! The record of what was given out and what was not: a line of JSON for each secret, written before the value is
//! given to anybody.

use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use vaultlet_core::date;

use crate::error::Error;
use crate::file::shown;
use crate::system::audit::{
    self as system, JOURNAL, append, check_journal, open, send, write_stderr,
};

use super::canonical::Canonical;
use super::rules::Policy;
use super::user::User;

/// Where audit lines go. Each line is written on its own, so that several processes can share one.
#[derive(Clone, Debug)]
pub struct Audit {
    target: Option<Target>,
    /// The policy that names the target.
    policy: PathBuf,
}

/// A place for audit lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Stderr,
    /// The journal of systemd.
    Journal,
    File(PathBuf),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stderr => f.write_str("stderr"),
            Self::Journal => f.write_str("journal"),
            Self::File(path) => f.write_str(&shown(path)),
        }
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The value is given out.
    Reveal,
    /// The policy, or a plugin's grants, do not allow it.
    Denied,
    /// The secret could not be read.
    Failed,
}

/// One request and what became of it. It never holds a value.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// What became of the request.
    pub kind: EventKind,
    /// The reference that was asked for.
    pub reference: &'a Canonical,
    /// The version that is given out; otherwise the one that was asked for, if any.
    pub version: Option<&'a str>,
    /// The user who asks.
    pub user: &'a User,
    /// The process that asks.
    pub pid: Option<u32>,
    /// The program that asks.
    pub program: Option<&'a Path>,
    /// The plugin that asks, by its name.
    pub plugin: Option<&'a str>,
    /// How the value was had: the label of the identity's source by which it was read just now, `agent` for one that
    /// an agent gave, `cache` or `stale` for one that an agent kept.
    pub source: Option<&'a str>,
    /// The id of the error.
    pub id: Option<&'a str>,
}

impl Audit {
    /// The audit that a policy asks for, ready to be written to; one without `[audit]` records nothing. A file is made
    /// if there is none, for its owner alone.
    pub fn open(policy: &Policy) -> Result<Self, Error> {
        let audit =
            Self { target: policy.audit.clone(), policy: policy.file.clone().unwrap_or_default() };
        match &audit.target {
            Some(Target::File(path)) => open(path).map(drop),
            Some(Target::Journal) => check_journal(),
            Some(Target::Stderr) => check_stderr(),
            None => Ok(()),
        }
        .map_err(|error| audit.failed(&error))?;
        Ok(audit)
    }

    /// Writes a line, at once and whole. When that fails the value must not be given out.
    pub fn write(&self, event: &Event<'_>) -> Result<(), Error> {
        let Some(target) = &self.target else { return Ok(()) };
        let mut line = event.json(SystemTime::now());
        line.push('\n');
        match target {
            Target::Stderr => check_stderr().and_then(|()| write_stderr(line.as_bytes())),
            Target::Journal => write_journal(event, &line),
            Target::File(path) => open(path).and_then(|file| append(&file, &line)),
        }
        .map_err(|error| self.failed(&error))
    }

    /// Says whether this process was started without a standard error. This is for programs that can tell, as
    /// `vaultlet` can, and no part of this crate's stable interface.
    #[doc(hidden)]
    pub fn stderr_is_closed(is_closed: bool) {
        let _ = IS_CLOSED.set(is_closed);
    }

    /// Whether anything is recorded.
    pub(super) fn is_kept(&self) -> bool {
        self.target.is_some()
    }

    fn failed(&self, error: &io::Error) -> Error {
        let target = match &self.target {
            Some(Target::File(path)) => format!("the audit file `{}`", shown(path)),
            Some(Target::Journal) => format!("an audit line to the journal (`{JOURNAL}`)"),
            Some(Target::Stderr) | None => "an audit line to stderr".to_owned(),
        };
        let why = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
            _ => error.to_string().to_lowercase(),
        };
        Error::configuration(
            "audit-failed",
            format!("writing {target}: {why}; no secret is given out"),
            &format!("mend that, or change `[audit]` in the policy `{}`", shown(&self.policy)),
        )
    }
}

impl EventKind {
    /// The word in the audit line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reveal => "reveal",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

impl Event<'_> {
    /// The line, without its end. What is not known is left out.
    pub(super) fn json(&self, now: SystemTime) -> String {
        let mut json = String::with_capacity(512);
        let user = self.user.name();
        let program = self.program.map(|path| path.to_string_lossy());
        text(&mut json, "time", Some(&time(now)));
        text(&mut json, "event", Some(self.kind.as_str()));
        text(&mut json, "reference", Some(self.reference.secret()));
        text(&mut json, "version", self.version);
        text(&mut json, "user", Some(&user).filter(|user| !user.is_empty()).map(String::as_str));
        if let Some(pid) = self.pid {
            let _ = write!(json, ",\"pid\":{pid}");
        }
        text(&mut json, "program", program.as_deref());
        text(&mut json, "plugin", self.plugin);
        text(&mut json, "source", self.source);
        text(&mut json, "id", self.id);
        json.push('}');
        json
    }
}

/// Adds a member, if it has a value.
fn text(json: &mut String, name: &str, value: Option<&str>) {
    let Some(value) = value else { return };
    json.push(if json.is_empty() { '{' } else { ',' });
    let _ = write!(json, "\"{name}\":\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            // Characters that a terminal obeys, too: people read these lines.
            c if !crate::visible::is_visible(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(json, "\\u{unit:04x}");
                }
            }
            c => json.push(c),
        }
    }
    json.push('"');
}

/// A time as RFC 3339 has it, in UTC, with milliseconds.
fn time(now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = date::text(since.as_secs().try_into().unwrap_or_default());
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), since.subsec_millis())
}

/// Whether this process was started without a standard error, if its program knows.
static IS_CLOSED: OnceLock<bool> = OnceLock::new();

/// Fails if this process was started without a standard error, where every line would be lost.
fn check_stderr() -> io::Result<()> {
    match IS_CLOSED.get() {
        Some(true) => Err(io::Error::other("standard error is closed")),
        Some(false) => Ok(()),
        None => system::check_stderr(),
    }
}

fn write_journal(event: &Event<'_>, line: &str) -> io::Result<()> {
    let priority = if event.kind == EventKind::Reveal { 6 } else { 4 };
    // JSON has no end of line in it, so that this form of the protocol is enough; 10 is `authpriv`.
    let entry = format!(
        "MESSAGE={line}PRIORITY={priority}\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=vaultlet\nVAULTLET_EVENT={}\n",
        event.kind.as_str()
    );
    send(&entry)
}
