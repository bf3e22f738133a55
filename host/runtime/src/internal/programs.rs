//! The service that runs planned programs for the role that is granted them, at
//! `http://programs.vaultlet.internal/<name>?<value>=…`.
//!
//! A program runs without a shell, and its output goes to that role alone. The WIT of `plan` has
//! the rules.

use std::io::{self, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::bindings::exports::vaultlet::keyvault::plan::Program;
use crate::call::Call;
use crate::error::Error;
use crate::exhausted::not_started;
use crate::limits;
use crate::net::{Request, Response};
use crate::settings::Environment;
use crate::system::programs::{self, Group, Output, find, set_apart};

use super::service::{Served, Service, ServiceError};
use super::started_programs;

/// The service's host name.
const HOST: &str = "programs.vaultlet.internal";

/// The programs that one role may have run, and their environment.
pub(crate) struct Programs {
    pub(crate) planned: Vec<Program>,
    pub(crate) environment: Environment,
}

/// Why a program did not run to its end.
type Refused = (u16, String);

struct Ended {
    status: ExitStatus,
    stdout: Zeroizing<Vec<u8>>,
    stderr: Zeroizing<Vec<u8>>,
}

impl Service for Programs {
    fn host(&self) -> &'static str {
        HOST
    }

    fn respond(&self, request: &Request, call: &Call) -> Result<Served, ServiceError> {
        let name = request.path().trim_start_matches('/');
        let program = self.planned.iter().find(|program| program.name == name);
        let not_granted = || ServiceError::NotGranted(format!("the program `{name}`"));
        Ok(self.run(program.ok_or_else(not_granted)?, request.query(), call)?.into())
    }
}

impl Programs {
    fn run(&self, program: &Program, query: &str, call: &Call) -> Result<Response, Error> {
        let started = Instant::now();
        let ended = match self.command(program, query) {
            Ok(command) => run_to_end(command, call)?,
            Err(refused) => Err(refused),
        };
        let (name, ms) = (&program.command, started.elapsed().as_millis());
        Ok(match ended {
            Ok(ended) => {
                let status = programs::status(ended.status);
                tracing::info!(target: "vaultlet", "ran `{name}`: status {status} after {ms} ms");
                ended.into_response(status)
            }
            Err((status, what)) => {
                tracing::info!(target: "vaultlet", "`{name}` failed after {ms} ms: {what}");
                Response::refusal(status, format!("running `{name}`: {what}"))
            }
        })
    }

    fn command(&self, program: &Program, query: &str) -> Result<Command, Refused> {
        let values = values(query).ok_or((
            502,
            "a value for it is not printable ASCII, begins with a hyphen or is too long".to_owned(),
        ))?;
        let file = self.look_up(&program.command);
        let file = file.ok_or((404, "it is not in `PATH`".to_owned()))?;
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
        set_apart(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }

    /// Looks a command up in the absolute folders of `PATH`. Relative ones are skipped, so that the
    /// working folder does not decide which program runs.
    fn look_up(&self, command: &str) -> Option<PathBuf> {
        let path = self.environment.value("PATH").filter(|_| !command.contains(['/', '\\']))?;
        let mut folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
        folders.find_map(|folder| find(&folder, command))
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

/// Runs a program to its end. The outer error is the call's.
fn run_to_end(mut command: Command, call: &Call) -> Result<Result<Ended, Refused>, Error> {
    let failed = |e: io::Error| (502, e.to_string().to_lowercase());
    let mut running = match started_programs::start(&mut command) {
        Ok(child) => Running { group: Group::of(&child), child },
        Err(error) => {
            let doing = format!("running `{}`", command.get_program().to_string_lossy());
            return not_started(&doing, &error).map_or_else(|| Ok(Err(failed(error))), Err);
        }
    };
    let mut pipes = match Pipes::new(&mut running.child) {
        Ok(pipes) => pipes,
        Err(error) => return Ok(Err(failed(error))),
    };
    let deadline = Instant::now() + limits::PROGRAM;
    let mut closes_by = deadline;
    loop {
        call.check()?;
        let read = pipes.read();
        let now = Instant::now();
        let ended = match read.and_then(|()| running.child.try_wait().map_err(failed)) {
            Ok(ended) => ended,
            Err(refused) => return Ok(Err(refused)),
        };
        match ended {
            Some(status) if pipes.are_closed() || now >= closes_by => {
                let Pipes { stdout, stderr } = pipes;
                return Ok(Ok(Ended { status, stdout: stdout.content, stderr: stderr.content }));
            }
            // A process that the program left running may hold the pipes open for ever.
            Some(_) => closes_by = closes_by.min(now + limits::PROGRAM_PIPES),
            None if now >= deadline => {
                let seconds = limits::PROGRAM.as_secs();
                return Ok(Err((504, format!("it did not end within {seconds} s"))));
            }
            None => {}
        }
        pipes.wait(limits::PROGRAM_SLICE);
    }
}

/// A program. Dropped while it runs, it is killed with all that it started.
struct Running {
    child: Child,
    group: Group,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        started_programs::forget(&self.child);
    }
}

impl Running {
    fn kill(&mut self) {
        // Once it was waited for, its process id may be another's.
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        self.group.kill();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The output of a program.
struct Pipes {
    stdout: Pipe,
    stderr: Pipe,
}

struct Pipe {
    output: Option<Output>,
    /// Of its full size: a buffer that grows leaves copies of the secret behind.
    content: Zeroizing<Vec<u8>>,
}

impl Pipes {
    fn new(child: &mut Child) -> io::Result<Self> {
        let stdout = child.stdout.take().map(Output::new).transpose()?;
        let stderr = child.stderr.take().map(Output::new).transpose()?;
        Ok(Self { stdout: Pipe::new(stdout), stderr: Pipe::new(stderr) })
    }

    /// Reads what is there.
    fn read(&mut self) -> Result<(), Refused> {
        self.stdout.read()?;
        self.stderr.read()
    }

    fn are_closed(&self) -> bool {
        self.stdout.output.is_none() && self.stderr.output.is_none()
    }

    /// Waits for output, but not for longer than `time`.
    fn wait(&self, time: Duration) {
        let outputs = [&self.stdout.output, &self.stderr.output];
        programs::wait(outputs.into_iter().flatten(), time);
    }
}

impl Pipe {
    fn new(output: Option<Output>) -> Self {
        let content = Zeroizing::new(Vec::with_capacity(limits::PROGRAM_OUTPUT_MAX + 1));
        Self { output, content }
    }

    fn read(&mut self) -> Result<(), Refused> {
        while let Some(output) = &mut self.output {
            let most = limits::PROGRAM_OUTPUT_MAX;
            let left = u64::try_from(most + 1 - self.content.len()).unwrap_or(0);
            match output.take(left).read_to_end(&mut self.content) {
                _ if self.content.len() > most => {
                    return Err((502, format!("it said more than {most} bytes")));
                }
                Ok(_) => self.output = None,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err((502, error.to_string().to_lowercase())),
            }
        }
        Ok(())
    }
}

impl Ended {
    fn into_response(self, status: i32) -> Response {
        let length = self.stdout.len();
        let mut body = Vec::with_capacity(length + self.stderr.len());
        body.extend_from_slice(&self.stdout);
        body.extend_from_slice(&self.stderr);
        let header = |name: &str, value: String| (name.to_owned(), value.into_bytes());
        let headers = vec![
            header("vaultlet-exit-status", status.to_string()),
            header("vaultlet-stdout-length", length.to_string()),
        ];
        Response { status: 200, headers, body }
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
