//! The record of what was given out and what was not: a line of JSON for each secret, written before the value is
//! given to anybody.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use vaultlet_core::date;

use crate::error::Error;
use crate::file::shown;
use crate::limits;

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
            Some(Target::Journal) => journal().map(drop),
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
            Target::Stderr => {
                check_stderr().and_then(|()| write_all(&io::stderr(), line.as_bytes()))
            }
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

/// Fails if this process was started without a standard error. Rust opens `/dev/null` in its place, to read and write,
/// where every line would be lost. Where the program does not know how it was started, such a stream is taken for that;
/// whoever throws the lines away on purpose mostly opens it to write only.
fn check_stderr() -> io::Result<()> {
    let closed = || Err(io::Error::other("standard error is closed"));
    match IS_CLOSED.get() {
        Some(true) => return closed(),
        Some(false) => return Ok(()),
        None => {}
    }
    use rustix::fs::{OFlags, fcntl_getfl, fstat, stat};
    let stderr = io::stderr();
    let is_null = || {
        let (stream, null) = (fstat(&stderr)?, stat("/dev/null")?);
        Ok::<_, Errno>((stream.st_mode, stream.st_rdev) == (null.st_mode, null.st_rdev))
    };
    match fcntl_getfl(&stderr)? & OFlags::RWMODE == OFlags::RDWR && is_null()? {
        true => closed(),
        false => Ok(()),
    }
}

/// Opens a file to append to: each time anew, as another program may have put a new one in its place.
fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    // Whoever may write the folder could lead us elsewhere by a link; a pipe may have nobody who reads it.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = File::options();
    options.append(true).create(true).mode(0o600).custom_flags(flags.bits().cast_signed());
    // To see whether the last line is whole.
    let file = match options.read(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            options.read(false).open(path)
        }
        opened => opened,
    };
    let file = file.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::LOOP) => io::Error::other("it is a link; name the file that it leads to"),
        Some(Errno::NXIO) => io::Error::other(NO_FILE),
        _ => error,
    })?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() || kind.is_char_device() { Ok(file) } else { Err(io::Error::other(NO_FILE)) }
}

const NO_FILE: &str = "it is not a regular file";

/// Appends a line. Where the disk was full in the middle of the last one, the line begins on one of its own.
fn append(file: &File, line: &str) -> io::Result<()> {
    let metadata = file.metadata()?;
    let mut last = [b'\n'];
    if let Some(at) = metadata.size().checked_sub(1).filter(|_| metadata.is_file()) {
        // A file that may not be read is taken to be whole.
        let _ = file.read_at(&mut last, at);
    }
    match last {
        [b'\n'] => write_all(file, line.as_bytes()),
        _ => write_all(file, format!("\n{line}").as_bytes()),
    }
}

/// Writes everything, by one call to the system unless it takes a part only.
fn write_all(to: &impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            // Another process has made it non-blocking.
            Err(Errno::AGAIN) => {
                let patience = Timespec::try_from(limits::AUDIT).ok();
                let ready = poll(&mut [PollFd::new(to, PollFlags::OUT)], patience.as_ref());
                if matches!(ready, Ok(0)) {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The socket of journald. <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>
const JOURNAL: &str = "/run/systemd/journal/socket";

fn journal() -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(JOURNAL)?;
    // It may be full, and nobody there who empties it.
    socket.set_write_timeout(Some(limits::AUDIT))?;
    Ok(socket)
}

fn write_journal(event: &Event<'_>, line: &str) -> io::Result<()> {
    let priority = if event.kind == EventKind::Reveal { 6 } else { 4 };
    // JSON has no end of line in it, so that this form of the protocol is enough; 10 is `authpriv`.
    let entry = format!(
        "MESSAGE={line}PRIORITY={priority}\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=vaultlet\nVAULTLET_EVENT={}\n",
        event.kind.as_str()
    );
    journal()?.send(entry.as_bytes()).map(drop)
}
