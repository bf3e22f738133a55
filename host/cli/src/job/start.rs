//! Runs a command job: its variables resolved, its folders made, and as many processes as it asks for.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::rc::Rc;

use vaultlet_host::Kind;

use super::data::Output;
use super::definition::{Definition, Identity};
use super::file::JobFile;
use super::identity;
use super::shown::shown;
use crate::child::{self, Signals};
use crate::failure::Failure;
use crate::options::Options;
use crate::references::{Resolved, Value, Variable, resolve};
use crate::run::{self, Process};

/// Shells, the service's own first.
const SHELLS: [&str; 2] = ["/bin/bash", "/bin/sh"];

/// Fails on systems without the shell of the service.
#[allow(clippy::unnecessary_wraps, reason = "on other systems it fails")]
pub(super) fn check_system() -> Result<(), Failure> {
    Ok(())
}

/// Runs a job that has no findings.
pub(super) fn start(
    job: JobFile,
    identity: &Identity,
    options: Options,
    signals: &Signals,
) -> Result<ExitCode, Failure> {
    let definition = job.definition;
    say_ignored(&definition.ignored);
    let variables = variables(&definition);
    let names: Vec<_> = definition.variables.iter().map(|it| it.name.clone()).collect();
    let shell = SHELLS.into_iter().find(|it| Path::new(it).exists()).unwrap_or("sh");
    let path = variables.iter().find(|it| it.name == "PATH").map(|it| it.value.clone());
    options.set_program(|| child::program(shell.as_ref(), path.as_deref()));
    let resolved = if names.is_empty() {
        plain(variables)
    } else {
        match signals.unless_interrupted(|| resolve(variables, &names, &options)) {
            Ok(resolved) => resolved.inspect_err(|failure| hint(failure, identity))?,
            Err(interrupted) => return Ok(interrupted),
        }
    };
    for output in &definition.outputs {
        make(output)?;
    }
    let words = [shell, "-c", &definition.command].map(OsString::from).to_vec();
    let ranks = definition.distribution.ranks().map_err(|error| no_port(&error))?;
    let servers = definition.distribution.servers();
    let shared = Rc::new((definition, identity.clone()));
    let processes: Vec<_> = ranks
        .into_iter()
        .enumerate()
        .map(|(rank, variables)| process(&shared, rank, variables))
        .collect();
    run::run_all(words, resolved, &processes, servers, signals)
}

/// What a process has besides the variables of the job.
fn process(
    shared: &Rc<(Definition, Identity)>,
    rank: usize,
    variables: Vec<(&'static str, String)>,
) -> Process {
    let shared = Rc::clone(shared);
    Box::new(move |command| {
        let (definition, identity) = &*shared;
        set_data(command, definition);
        identity::set(command, identity);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &definition.folder {
            command.current_dir(folder);
        }
        // One reads what is typed.
        if rank > 0 {
            command.stdin(Stdio::null());
        }
    })
}

/// The variables of this process, with those of the job.
fn variables(definition: &Definition) -> Vec<Variable> {
    let mut all: BTreeMap<_, _> =
        std::env::vars_os().map(|(name, value)| (name, (value, true))).collect();
    for variable in &definition.variables {
        let value = variable.value.clone().unwrap_or_default();
        all.insert(variable.name.clone().into(), (value.into(), false));
    }
    let all = all.into_iter();
    all.map(|(name, (value, is_inherited))| Variable { name, value, is_inherited }).collect()
}

fn plain(variables: Vec<Variable>) -> Resolved {
    let plain =
        |it: Variable| (it.name, Value::Plain { value: it.value, is_inherited: it.is_inherited });
    Resolved { variables: variables.into_iter().map(plain).collect(), ..Resolved::default() }
}

/// Sets where data is, as the service does, and unsets what the job unsets.
fn set_data(command: &mut Command, definition: &Definition) {
    for variable in definition.variables.iter().filter(|it| it.value.is_none()) {
        command.env_remove(&variable.name);
    }
    for input in definition.inputs.iter().filter(|it| it.is_data) {
        command.env(format!("AZURE_ML_INPUT_{}", input.name), &input.text);
    }
    for output in &definition.outputs {
        command.env(format!("AZURE_ML_OUTPUT_{}", output.name), &output.path);
    }
}

fn make(output: &Output) -> Result<(), Failure> {
    let folder = if output.is_file { output.path.parent() } else { Some(output.path.as_path()) };
    let Some(folder) = folder else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|error| {
        let (name, folder) = (&output.name, shown(&folder.to_string_lossy()));
        let why = error.to_string().to_lowercase();
        let message = format!("making the folder `{folder}` of the output `{name}`: {why}");
        let help = format!("add `--set outputs.{name}.path=FOLDER`, or run it in another folder");
        Failure::own(Kind::Configuration, "job-output", message, &help)
    })
}

fn no_port(error: &io::Error) -> Failure {
    let message =
        format!("starting the processes of the job: {}", error.to_string().to_lowercase());
    let help = "let this process open ports on 127.0.0.1, by which the processes find each other";
    Failure::own(Kind::Unavailable, "job-port", message, help)
}

fn say_ignored(ignored: &[String]) {
    if ignored.is_empty() {
        return;
    }
    let names: Vec<_> = ignored.iter().map(|it| format!("`{it}`")).collect();
    say(&format!("ignored on this machine: {}", names.join(", ")));
}

/// Says what to do where the job's identity is not here.
fn hint(failure: &Failure, identity: &Identity) {
    let asked = match identity {
        Identity::User => "on behalf of its user",
        Identity::Managed(_) => "as a managed identity",
        Identity::Unspecified => return,
    };
    if failure.kind() == Kind::NotConfigured.as_str() {
        say(&format!(
            "the job runs {asked}; `--as` chooses another identity, `--dev` a local Azure"
        ));
    }
}

/// Tells a person something that is no error.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "vaultlet job: {text}");
}
