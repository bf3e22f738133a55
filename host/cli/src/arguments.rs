//! The arguments, and the variables that stand for them: `--some-flag` is `VAULTLET_SOME_FLAG`,
//! those of `dev` `VAULTLET_DEV_SOME_FLAG`. The flag wins; empty means unset.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::failure::{Failure, wants_json};
use crate::log::Level;
use crate::options::{self, Format};

/// Gets Azure Key Vault secrets by the identity that this machine or job has.
#[derive(Parser)]
#[command(name = "vaultlet", version, arg_required_else_help = true, after_help = AFTER)]
pub(crate) struct Arguments {
    /// What to report on stderr: one line each, never a value, token or secret header
    #[arg(long, global = true, value_enum, default_value_t = Level::Off, value_name = "LEVEL")]
    pub(crate) log: Level,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER: &str = "\
Each flag may be given as a variable: --some-flag is VAULTLET_SOME_FLAG.
Try it without Azure: vaultlet demo";

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    Get(crate::get::Get),
    List(crate::list::List),
    Versions(crate::list::Versions),
    Token(crate::token::Token),
    Whoami(crate::whoami::Whoami),
    Identity(crate::identity::Identity),
    Dev(crate::dev::Dev),
    Demo(crate::demo::Demo),
}

impl Arguments {
    /// Whether errors are asked for as JSON.
    pub(crate) fn json(&self) -> bool {
        match &self.command {
            Command::Demo(_) => false,
            Command::Dev(dev) => dev.output == crate::dev::Format::Json,
            Command::Get(get) => get.output == Format::Json,
            Command::List(list) => list.output == crate::list::Format::Json,
            Command::Versions(versions) => versions.output == crate::list::Format::Json,
            Command::Identity(identity) => {
                let crate::identity::What::Serve(serve) = &identity.what;
                serve.output == crate::identity::Format::Json
            }
            Command::Whoami(whoami) => whoami.output == crate::whoami::Format::Json,
            Command::Token(token) => token.output == Format::Json,
        }
    }
}

/// How it ends before anything was done.
pub(crate) enum Ending {
    /// Help or version, asked for.
    Shown(clap::Error),
    /// Arguments or variables that cannot be read.
    Wrong { failure: Failure, json: bool },
}

impl Ending {
    pub(crate) fn end(self) -> ExitCode {
        match self {
            Self::Shown(help) => {
                let _ = write!(std::io::stdout(), "{}", help.render());
                ExitCode::SUCCESS
            }
            Self::Wrong { failure, json } => failure.report(json),
        }
    }
}

pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Arguments, Ending> {
    let json = wants_json(&arguments);
    let wrong = |failure| Ending::Wrong { failure, json };
    // Flags alone first: what is wrong in them is a usage error, whatever the variables say.
    let flags = match Arguments::command().try_get_matches_from(&arguments) {
        Ok(flags) => flags,
        Err(help) if shows_help(&help) => return Err(Ending::Shown(help)),
        Err(error) => return Err(wrong(Failure::usage(&one_line(&error)))),
    };
    let all = with_variables(Arguments::command(), &flags)
        .try_get_matches_from(&arguments)
        .map_err(|error| wrong(wrong_variable(&error, &flags)))?;
    Arguments::from_arg_matches(&all).map_err(|error| wrong(Failure::usage(&one_line(&error))))
}

fn shows_help(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

/// The flags were well: what is wrong came from a variable, and is called by it.
fn wrong_variable(error: &clap::Error, flags: &ArgMatches) -> Failure {
    let line = one_line(error);
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return Failure::variable("VAULTLET_…", &line);
    };
    let flag = argument.split(' ').next().unwrap_or_default().trim_start_matches('-');
    let is_global = Arguments::command().get_arguments().any(|a| a.get_long() == Some(flag));
    let prefix = if is_global { "VAULTLET_" } else { prefix(flags) };
    let line = line.replace(&format!(" for '{argument}'"), "");
    Failure::variable(&variable(prefix, flag), &line)
}

fn prefix(flags: &ArgMatches) -> &'static str {
    if flags.subcommand_name() == Some("dev") { "VAULTLET_DEV_" } else { "VAULTLET_" }
}

fn variable(prefix: &str, flag: &str) -> String {
    format!("{prefix}{}", flag.to_uppercase().replace('-', "_"))
}

/// Names for each flag of the chosen command the variable that stands for it, where it is set.
/// `--reveal` has none: showing a token is said on the command line.
fn with_variables(command: clap::Command, flags: &ArgMatches) -> clap::Command {
    let of_flags = |prefix: &'static str| {
        move |argument: clap::Arg| match argument.get_long() {
            Some("help" | "version" | "reveal" | "yes") | None => argument,
            // These are read where they are used, which then says of the variable what is wrong.
            Some(long) if options::variable_of(long).is_some() => argument,
            Some(long) => {
                let name = variable(prefix, long);
                match std::env::var_os(&name).filter(|v| !v.is_empty()) {
                    Some(_) => argument.env(name).hide_env_values(true),
                    None => argument,
                }
            }
        }
    };
    chosen(command.mut_args(of_flags("VAULTLET_")), flags, &of_flags(prefix(flags)))
}

/// The command that was chosen, and what was chosen of that one.
fn chosen(
    command: clap::Command,
    flags: &ArgMatches,
    own: &impl Fn(clap::Arg) -> clap::Arg,
) -> clap::Command {
    let Some((name, flags)) = flags.subcommand() else { return command };
    command.mut_subcommand(name, |subcommand| chosen(subcommand.mut_args(own), flags, own))
}

/// clap's message without its usage block, on one line.
fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let body = text.split("\n\nUsage:").next().unwrap_or(&text);
    let body = body.split("\n\nFor more information").next().unwrap_or(body);
    let line = body.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_end_matches('.').to_owned()
}
