//! Where variables come from: the environment of this process, then env files, then the command line.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use vaultlet_core::command::variables::is_name;
use vaultlet_host::Kind;

use super::env_file;
use crate::failure::Failure;
use crate::{given_file, streams, system};

/// The most bytes that an env file may have.
const FILE_MAX: u64 = 4 << 20;

/// The variables that a command is given.
#[derive(Args, Default)]
pub(crate) struct Sources {
    /// A variable, whose value may be a reference; may be repeated
    #[arg(short, value_name = "NAME=VALUE")]
    env: Vec<OsString>,
    /// A file of lines NAME=VALUE, - for stdin; may be repeated, the later file wins
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
}

/// A variable, before its reference is resolved.
pub(crate) struct Variable {
    pub(crate) name: OsString,
    pub(crate) value: OsString,
    /// Whether the environment of this process has it, with this value.
    pub(crate) is_inherited: bool,
}

impl Sources {
    /// The variables in the order of their names, on top of those of the environment.
    pub(crate) fn with_environment(&self) -> Result<Vec<Variable>, Failure> {
        // Arguments are looked at first, as an error in them is a usage error, whatever the files are.
        let arguments = self.arguments()?;
        let mut all: BTreeMap<_, _> =
            std::env::vars_os().map(|(name, value)| (name, (value, true))).collect();
        for path in &self.env_file {
            let text = read(path)?;
            let variables = env_file::parse(&text)
                .map_err(|malformed| malformed_line(path, malformed.line, malformed.why))?;
            for (name, value) in variables {
                all.insert(name.into(), (value.into_owned().into(), false));
            }
        }
        for (name, value) in arguments {
            all.insert(name.into(), (value, false));
        }
        Ok(all
            .into_iter()
            .map(|(name, (value, is_inherited))| Variable { name, value, is_inherited })
            .collect())
    }

    /// Fails if a variable of the command line is malformed.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.arguments().map(drop)
    }

    /// Whether an env file is standard input.
    pub(crate) fn has_stdin(&self) -> bool {
        self.env_file.iter().any(|path| is_stdin(path))
    }

    /// The env files.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.env_file
    }

    /// Whether the command line sets this variable.
    pub(crate) fn is_argument(&self, name: &OsStr) -> bool {
        self.env.iter().filter_map(|it| split(it)).any(|(other, _)| name == other)
    }

    fn arguments(&self) -> Result<Vec<(&str, OsString)>, Failure> {
        if self.env_file.iter().filter(|path| is_stdin(path)).count() > 1 {
            return Err(Failure::usage("`--env-file -`, which is stdin, is given twice"));
        }
        let mut arguments: Vec<(&str, OsString)> = Vec::new();
        for argument in &self.env {
            let (name, value) = split(argument).ok_or_else(|| {
                Failure::usage(
                    "`-e` takes a variable as NAME=VALUE, with a name of letters, digits and `_`",
                )
            })?;
            if arguments.iter().any(|(other, _)| *other == name) {
                return Err(Failure::usage(&format!("`-e` sets `{name}` twice")));
            }
            arguments.push((name, value));
        }
        Ok(arguments)
    }
}

fn split(argument: &OsStr) -> Option<(&str, OsString)> {
    let bytes = system::bytes(argument);
    let at = bytes.iter().position(|byte| *byte == b'=')?;
    let name = str::from_utf8(bytes.get(..at)?).ok().filter(|name| is_name(name))?;
    Some((name, system::text(bytes.get(at + 1..)?)?))
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn read(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match is_stdin(path) {
        true => streams::check_stdin()
            .and_then(|()| io::stdin().lock().take(FILE_MAX + 1).read_to_string(&mut text)),
        false => given_file::open(path)
            .and_then(|file| file.take(FILE_MAX + 1).read_to_string(&mut text)),
    };
    match read {
        Ok(_) if text.len() as u64 > FILE_MAX => {
            Err(unreadable(path, "it is larger than 4 MiB", "give a file of variables"))
        }
        Ok(_) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(unreadable(path, "it is not UTF-8 text", "write it as UTF-8"))
        }
        Err(error) => {
            let why = error.to_string().to_lowercase();
            Err(unreadable(path, &why, "correct the path, or leave `--env-file` out"))
        }
    }
}

fn reading(path: &Path) -> String {
    match is_stdin(path) {
        true => "reading the env file from stdin".to_owned(),
        false => format!("reading the env file `{}`", path.display()),
    }
}

fn unreadable(path: &Path, why: &str, help: &str) -> Failure {
    let message = format!("{}: {why}", reading(path));
    Failure::own(Kind::Configuration, "env-file", message, help)
}

fn malformed_line(path: &Path, line: usize, why: &str) -> Failure {
    let message = format!("{}: line {line} is malformed: {why}", reading(path));
    Failure::own(Kind::Configuration, "env-file", message, "write NAME=VALUE")
}
