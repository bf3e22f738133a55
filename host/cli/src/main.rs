//! `vaultlet`: Azure Key Vault secrets for a training job, from any shell.

#![deny(unsafe_code)]
#![allow(rustdoc::bare_urls, reason = "the commands' comments are their help on a terminal")]

#[cfg_attr(windows, path = "agent/windows.rs")]
mod agent;
mod arguments;
#[cfg(unix)]
mod at_start;
#[cfg_attr(windows, path = "child/windows.rs")]
mod child;
mod completions;
#[cfg(feature = "dev")]
mod demo;
#[cfg(feature = "dev")]
mod dev;
mod doctor;
mod explain;
mod export;
mod failure;
mod get;
mod given_file;
mod given_flags;
mod identity;
mod ids;
mod inject;
mod install;
mod job;
mod list;
mod log;
mod man;
mod mask;
mod not_here;
mod options;
mod output;
mod plan;
mod policy;
mod policy_flag;
#[cfg(unix)]
mod private_folder;
mod redact;
mod references;
mod run;
#[cfg(feature = "dev")]
mod seeds;
mod shown_variables;
#[cfg_attr(windows, path = "streams/windows.rs")]
mod streams;
mod system;
mod token;
mod token_flags;
mod trimmed;
mod usage;
mod whoami;

use std::process::ExitCode;

use arguments::Command;
use failure::{Failure, Report};

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// Reports a panic as an error, of kind `internal`, in place of Rust's own text.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let what = panic.payload_as_str().unwrap_or("a panic");
        let place = panic.location().map(|at| {
            let file = std::path::Path::new(at.file()).file_name().unwrap_or_default();
            format!(" at {}:{}", file.to_string_lossy(), at.line())
        });
        let message = format!("running: {what}{}", place.unwrap_or_default()).replace('\n', " ");
        let help = "report this with the message";
        Failure::own(vaultlet_host::Kind::Internal, "internal", message, help).report(Report::Line);
        if std::thread::current().name() == Some("main") {
            std::process::exit(70);
        }
    }));
}

/// Begins to send traces, if the program is built for it.
fn telemetry() -> Result<vaultlet_telemetry::Telemetry, Failure> {
    vaultlet_telemetry::start().map_err(|it| Failure::variable(it.variable, &it.why))
}

fn main() -> ExitCode {
    vaultlet_host::phases::mark("main entered");
    report_panics();
    system::prepare();
    child::keep_core_limit();
    vaultlet_host::Audit::stderr_is_closed(streams::is_stderr_closed());
    // Where the system refuses that, everything else still works.
    let _ = vaultlet_host::protect_process();
    let given: Vec<_> = std::env::args_os().collect();
    let arguments = match arguments::parse(&given) {
        Ok(arguments) => arguments,
        Err(early) => return early.exit(),
    };
    vaultlet_host::phases::mark("arguments parsed");
    let report = arguments.report();
    let definition = <arguments::Arguments as clap::CommandFactory>::command;
    let started = log::start(arguments.global.log).and_then(|()| telemetry());
    let result = started.and_then(|_sending| match arguments.command {
        Command::Agent(command) => command.run(),
        Command::Completions(command) => command.run(definition()),
        #[cfg(feature = "dev")]
        Command::Demo(command) => command.run(),
        #[cfg(feature = "dev")]
        Command::Dev(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Export(command) => command.run(),
        Command::Get(command) => command.run(),
        Command::Identity(command) => command.run(),
        Command::Inject(command) => command.run(),
        Command::Install(command) => command.run(),
        Command::Job(command) => command.run(),
        Command::List(command) => command.run(),
        Command::Man(command) => command.run(definition()),
        Command::Plan(command) => command.run(),
        Command::Policy(command) => command.run(),
        Command::Redact(command) => command.run(),
        Command::Run(command) => command.run(),
        Command::Token(command) => command.run(),
        Command::Versions(command) => command.run(),
        Command::Whoami(command) => command.run(),
    });
    vaultlet_host::phases::print("exit begins");
    match result {
        Ok(code) => child::end_whole(code),
        Err(failure) => failure.with_help_of(&given).report(report),
    }
}
