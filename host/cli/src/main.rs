//! `vaultlet`: Azure Key Vault secrets for a training job, from any shell.

#![deny(unsafe_code)]
#![allow(rustdoc::bare_urls, reason = "the commands' comments are their help on a terminal")]

mod arguments;
mod child;
#[cfg(feature = "dev")]
mod demo;
#[cfg(feature = "dev")]
mod dev;
mod explain;
mod failure;
mod get;
mod given_flags;
mod identity;
mod ids;
mod list;
mod log;
mod options;
mod output;
#[cfg(feature = "dev")]
mod seeds;
mod token;
mod token_flags;
mod trimmed;
mod usage;
mod whoami;

use std::process::ExitCode;

use arguments::Command;
use failure::Failure;

fn main() -> ExitCode {
    vaultlet_host::phases::mark("main entered");
    let arguments = match arguments::parse(std::env::args_os().collect()) {
        Ok(arguments) => arguments,
        Err(early) => return early.exit(),
    };
    vaultlet_host::phases::mark("arguments parsed");
    let json = arguments.json();
    let result = log::start(arguments.global.log).and_then(|()| match arguments.command {
        #[cfg(feature = "dev")]
        Command::Demo(command) => command.run(),
        #[cfg(feature = "dev")]
        Command::Dev(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Get(command) => command.run(),
        Command::Identity(command) => command.run(),
        Command::List(command) => command.run(),
        Command::Token(command) => command.run(),
        Command::Versions(command) => command.run(),
        Command::Whoami(command) => command.run(),
    });
    vaultlet_host::phases::print("exit begins");
    match result {
        Ok(code) => code,
        Err(failure) => Failure::report(&failure, json),
    }
}
