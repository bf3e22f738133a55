//! `vaultlet`: Azure Key Vault secrets for a training job, from any shell.

#![deny(unsafe_code)]
#![allow(rustdoc::bare_urls, reason = "the commands' comments are their help on a terminal")]

mod arguments;
mod ask;
mod child;
#[cfg(feature = "dev")]
mod demo;
#[cfg(feature = "dev")]
mod dev;
mod explain;
mod failure;
mod get;
mod given;
mod identity;
mod ids;
mod list;
mod log;
mod options;
mod output;
#[cfg(feature = "dev")]
mod seeds;
mod token;
mod usage;
mod whoami;

use std::process::ExitCode;

use arguments::Command;
use failure::Failure;

fn main() -> ExitCode {
    let arguments = match arguments::parse(std::env::args_os().collect()) {
        Ok(arguments) => arguments,
        Err(ending) => return ending.end(),
    };
    let json = arguments.json();
    let done = log::start(arguments.log).and_then(|()| match arguments.command {
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
    match done {
        Ok(code) => code,
        Err(failure) => Failure::report(&failure, json),
    }
}
