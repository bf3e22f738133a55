//! Where the agent is, for itself and for the programs that ask it.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

use crate::failure::Failure;
use crate::output;

/// The variables by which a program finds the agent.
const AGENT: &str = "VAULTLET_AGENT";
const TOKEN_FILE: &str = "VAULTLET_AGENT_TOKEN_FILE";

/// The variables of the service manager that are about this process alone.
const OF_MANAGER: [&str; 3] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/// The socket where nothing else is said.
pub(super) fn default_socket() -> Result<PathBuf, Failure> {
    if geteuid().is_root() {
        return Ok("/run/vaultlet.sock".into());
    }
    let folder = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    // One that is relative is to be ignored: <https://specifications.freedesktop.org/basedir-spec/latest/>
    match folder.filter(|folder| folder.is_absolute()) {
        Some(folder) => Ok(folder.join("vaultlet.sock")),
        None => Err(Failure::usage("`--socket` is needed, because `XDG_RUNTIME_DIR` is not set")),
    }
}

/// The variables that lead to the agent.
fn variables(address: Option<&str>, token_file: Option<&Path>) -> Vec<(&'static str, String)> {
    let mut variables = Vec::new();
    let Some(address) = address else { return variables };
    variables.push((AGENT, address.to_owned()));
    if let Some(file) = token_file.filter(|_| address.starts_with("http:")) {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        variables.push((TOKEN_FILE, file.display().to_string()));
    }
    variables
}

/// Tells a command where the agent is.
pub(super) fn tell(command: &mut Command, address: Option<&str>, token_file: Option<&Path>) {
    for name in OF_MANAGER {
        command.env_remove(name);
    }
    command.envs(variables(address, token_file));
}

/// Prints where the agent is, for a shell.
pub(super) fn print(address: Option<&str>, token_file: Option<&Path>) -> Result<(), Failure> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/:._-[]@%+,".contains(c);
    let line = |(name, value): (&str, String)| {
        let value = if value.chars().all(is_plain) { value } else { output::quote(&value) };
        format!("export {name}={value}\n")
    };
    let lines: String = variables(address, token_file).into_iter().map(line).collect();
    output::plain(&lines)
}
