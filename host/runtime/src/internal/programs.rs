//! The service that runs planned programs for the role that is granted them, at
//! `http://programs.vaultlet.internal/<name>?<value>=…`.
//!
//! A program runs without a shell, and its output goes to that role alone. The WIT of `plan` has
//! the rules.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Instant;

use http::{HeaderValue, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::time::timeout;
use wasmtime_wasi_http::WasiBody;
use zeroize::Zeroizing;

use crate::bindings::exports::vaultlet::keyvault::plan::Program;
use crate::limits;
use crate::settings::Environment;

use super::response::{refusal, response, scrubbed};
use super::service::{Service, ServiceError, ServiceFuture};

/// The service's host name.
const HOST: &str = "programs.vaultlet.internal";

/// The programs that one role may have run, and their environment.
pub(crate) struct Programs {
    pub(crate) planned: Vec<Program>,
    pub(crate) environment: Environment,
}

/// Why a program did not run to its end.
type Refused = (StatusCode, String);

struct Ended {
    status: ExitStatus,
    stdout: Zeroizing<Vec<u8>>,
    stderr: Zeroizing<Vec<u8>>,
}

impl Service for Programs {
    fn host(&self) -> &'static str {
        HOST
    }

    fn respond(&self, request: Request<WasiBody>) -> ServiceFuture<'_> {
        let name = request.uri().path().trim_start_matches('/').to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        Box::pin(async move {
            let program = self.planned.iter().find(|program| program.name == name);
            let not_granted = || ServiceError::NotGranted(format!("the program `{name}`"));
            Ok(self.run(program.ok_or_else(not_granted)?, &query).await)
        })
    }
}

impl Programs {
    async fn run(&self, program: &Program, query: &str) -> Response<WasiBody> {
        let started = Instant::now();
        let ended = match self.command(program, query) {
            Ok(command) => run_to_end(command).await,
            Err(refused) => Err(refused),
        };
        let (name, ms) = (&program.command, started.elapsed().as_millis());
        match ended {
            Ok(ended) => {
                let status = status(ended.status);
                tracing::info!(target: "vaultlet", "ran `{name}`: status {status} after {ms} ms");
                ended.into_response(status)
            }
            Err((status, what)) => {
                tracing::info!(target: "vaultlet", "`{name}` failed after {ms} ms: {what}");
                refusal(status, format!("running `{name}`: {what}"))
            }
        }
    }

    fn command(&self, program: &Program, query: &str) -> Result<Command, Refused> {
        let values = values(query).ok_or((
            StatusCode::BAD_GATEWAY,
            "a value for it is not printable ASCII, begins with a hyphen or is too long".to_owned(),
        ))?;
        let file = self.look_up(&program.command);
        let file = file.ok_or((StatusCode::NOT_FOUND, "it is not in `PATH`".to_owned()))?;
        let mut command = Command::new(file);
        for group in &program.arguments {
            let filled: Option<Vec<_>> = group.iter().map(|text| fill(text, &values)).collect();
            command.args(filled.unwrap_or_default());
        }
        if let Environment::Given(given) = &self.environment {
            command.env_clear().envs(given);
        }
        for (name, text) in &program.variables {
            if let Some(value) = fill(text, &values) {
                command.env(name, value);
            }
        }
        command.current_dir("/").process_group(0).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }

    /// Looks a command up in the absolute folders of `PATH`. Relative ones are skipped, so that the
    /// working folder does not decide which program runs.
    fn look_up(&self, command: &str) -> Option<PathBuf> {
        let path = self.environment.get("PATH").filter(|_| !command.contains('/'))?;
        let is_program = |file: &PathBuf| {
            fs::metadata(file).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
        };
        let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
        folders.map(|folder| folder.join(command)).find(is_program)
    }
}

/// The values in a query. `None` when one of them must not be put on a command line.
fn values(query: &str) -> Option<Vec<(String, String)>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let decoded = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8().ok()?;
        let printable = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let fits = value.len() <= limits::PROGRAM_VALUE_MAX && !value.starts_with('-');
        (printable && fits).then(|| (name.to_owned(), value.into_owned()))
    });
    // An empty value is an unset one, as everywhere.
    Some(decoded.collect::<Option<Vec<_>>>()?.into_iter().filter(|(_, v)| !v.is_empty()).collect())
}

/// Replaces each `{value}` in a text; `None` when one of the values is not given. Braces around
/// anything but a value's name are plain text.
fn fill(text: &str, values: &[(String, String)]) -> Option<String> {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'_')
    };
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        match after.split_once('}').filter(|(name, _)| is_name(name)) {
            Some((name, after)) => {
                filled.push_str(values.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())?);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    Some(filled)
}

async fn run_to_end(mut command: Command) -> Result<Ended, Refused> {
    let failed = |what: String| (StatusCode::BAD_GATEWAY, what.to_lowercase());
    let mut child = command.spawn().map_err(|e| failed(e.to_string()))?;
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (mut out, mut err) = (buffer(), buffer());
    let ended = timeout(limits::PROGRAM, async {
        let reading = async { tokio::try_join!(read(stdout, &mut out), read(stderr, &mut err)) };
        let mut reading = std::pin::pin!(reading);
        tokio::select! {
            both = &mut reading => {
                both.map_err(failed)?;
                child.wait().await
            }
            status = child.wait() => {
                // A process that the program left running may hold the pipes open for ever.
                if let Ok(both) = timeout(limits::PROGRAM_PIPES, reading).await {
                    both.map_err(failed)?;
                }
                status
            }
        }
        .map_err(|e| failed(e.to_string()))
    });
    let took_too_long = || {
        let seconds = limits::PROGRAM.as_secs();
        (StatusCode::GATEWAY_TIMEOUT, format!("it did not end within {seconds} s"))
    };
    let status = ended.await.unwrap_or_else(|_| Err(took_too_long()))?;
    // The program has ended, and its process id may soon be another's.
    group.0 = None;
    Ok(Ended { status, stdout: out, stderr: err })
}

/// Kills a process group when dropped, unless the group ended by itself.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // The group may have ended by now.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// A buffer of its full size: one that grows leaves copies of the secret behind.
fn buffer() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(limits::PROGRAM_OUTPUT_MAX + 1))
}

async fn read(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) -> Result<(), String> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    while pipe.read_buf(into).await.map_err(|e| e.to_string())? > 0 {
        if into.len() > limits::PROGRAM_OUTPUT_MAX {
            return Err(format!("it said more than {} bytes", limits::PROGRAM_OUTPUT_MAX));
        }
    }
    Ok(())
}

/// The exit status, as a shell reports it.
fn status(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

impl Ended {
    fn into_response(self, status: i32) -> Response<WasiBody> {
        let length = self.stdout.len();
        let mut both = Zeroizing::new(Vec::with_capacity(length + self.stderr.len()));
        both.extend_from_slice(&self.stdout);
        both.extend_from_slice(&self.stderr);
        let mut response = response(StatusCode::OK, scrubbed(both));
        let headers = response.headers_mut();
        headers.insert("vaultlet-exit-status", HeaderValue::from(status));
        headers.insert("vaultlet-stdout-length", HeaderValue::from(length));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_fit_for_a_command_line_or_refused() {
        let long = format!("a={}", "x".repeat(limits::PROGRAM_VALUE_MAX));
        for (query, expected) in [
            ("", Some(vec![])),
            ("a=https%3A%2F%2Fx%2F.default&b=", Some(vec![("a", "https://x/.default")])),
            ("a=1+1", Some(vec![("a", "1+1")])),
            ("a=-rf", None),
            ("a=%2Drf", None),
            ("a=x%0Ay", None),
            ("a=x%00y", None),
            ("a=%C3%A9", None),
            ("a=%ff", None),
        ] {
            let expected: Option<Vec<_>> = expected.map(|pairs: Vec<(&str, &str)>| {
                pairs.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
            });
            assert_eq!(values(query), expected, "{query}");
        }
        assert!(values(&long).is_some() && values(&format!("{long}x")).is_none());
    }

    #[test]
    fn only_names_of_values_are_replaced() {
        let values = [("tenant".to_owned(), "{scope}; $(x)".to_owned())];
        for (text, expected) in [
            ("--tenant", Some("--tenant")),
            ("{tenant}", Some("{scope}; $(x)")),
            ("a{tenant}b", Some("a{scope}; $(x)b")),
            ("{scope}", None),
            ("if ($x) { y } {}", Some("if ($x) { y } {}")),
            ("{Tenant", Some("{Tenant")),
        ] {
            assert_eq!(fill(text, &values).as_deref(), expected, "{text}");
        }
    }
}
