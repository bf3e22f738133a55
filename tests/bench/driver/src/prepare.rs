//! Preparation with the machine's own network: builds the peers, installs those of other languages, and
//! starts the driver again in its namespaces.

use std::{
    env,
    path::Path,
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result, ensure};
use nix::unistd::geteuid;

use crate::{Options, Section, languages, peers::Id, phases};

/// Prepares the chosen peers and measures them in the namespaces.
pub(crate) fn enter(options: &Options) -> Result<ExitCode> {
    let peers = options.peers();
    languages::package(&options.root, &peers).context("making the packages")?;
    if options.sections.contains(&Section::Phases) && peers.contains(&Id::Vaultlet) {
        eprintln!("preparing the program with marks");
        phases::prepare(&options.root).context("preparing the program with marks")?;
    }
    let mut missing = Vec::new();
    for id in &peers {
        eprintln!("preparing {id}");
        match prepare(&options.root, *id) {
            Err(error) if id.is_ours() => return Err(error.context(format!("preparing {id}"))),
            Err(error) => missing.push(format!("--missing={id}={error:#}")),
            Ok(()) => {}
        }
    }
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--propagation", "private"]);
    if geteuid().is_root() {
        // Other programs may be running; the measurement takes precedence.
        command.args(["nice", "-n", "-5"]);
    } else {
        command.arg("--map-root-user");
    }
    command.arg(env::current_exe()?).args(env::args_os().skip(1)).arg("--inside").args(missing);
    let status = command.status().context("starting `unshare` (util-linux)")?;
    Ok(ExitCode::from(status.code().and_then(|code| code.try_into().ok()).unwrap_or(1)))
}

fn prepare(root: &Path, id: Id) -> Result<()> {
    let bench = root.join("tests/bench");
    match id {
        // One package at a time, so that no peer gets the cargo features of another.
        Id::Raw => cargo(&bench, "bench-raw", &root.join("target/bench"), &[]),
        Id::HostBlocking | Id::HostAsync => {
            cargo(&bench, "bench-ours", &root.join("target/bench"), &[])
        }
        Id::Sdk => cargo(&bench, "bench-sdk", &root.join("target/bench"), &[]),
        Id::Vaultlet | Id::Run => shipped(root, &[]),
        Id::VaultletStatic => shipped(root, &["--target", &static_target()]),
        Id::Bare => Ok(()),
        _ => languages::prepare(root, id),
    }
}

pub(crate) fn cargo(folder: &Path, package: &str, target: &Path, more: &[&str]) -> Result<()> {
    let mut command = nice("cargo");
    command.current_dir(folder).args(["build", "--release", "--package", package]);
    run(command.arg("--target-dir").arg(target).args(more))
}

/// Builds the program as it is shipped: what is built beside it decides the features of what they share.
pub(crate) fn shipped(root: &Path, more: &[&str]) -> Result<()> {
    let mut command = nice("cargo");
    command.current_dir(root).args(["build", "--release"]);
    run(command.arg("--target-dir").arg(root.join("target")).args(more))
}

/// The target of the static program, which is that of the packages.
fn static_target() -> String {
    format!("{}-unknown-linux-musl", env::consts::ARCH)
}

/// The static program, from the root.
pub(crate) fn static_program() -> String {
    format!("target/{}/release/vaultlet", static_target())
}

pub(crate) fn nice(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(program);
    command
}

pub(crate) fn run(command: &mut Command) -> Result<()> {
    // Only the tables go to stdout.
    let status = command.stdin(Stdio::null()).stdout(std::io::stderr()).status()?;
    let arguments: Vec<_> = command.get_args().skip(2).map(|a| a.to_string_lossy()).collect();
    ensure!(status.success(), "`{}` failed", arguments.join(" "));
    Ok(())
}
