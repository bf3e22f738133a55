//! The command line's arguments, and the variables that stand for them: `--some-flag` is
//! `VAULTLET_SOME_FLAG`, a flag of `dev` is `VAULTLET_DEV_SOME_FLAG`. The flag wins over the variable, and
//! an empty variable is the same as an unset one.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command as Clap, CommandFactory as _, FromArgMatches as _};
use clap::{Args, Parser, Subcommand};
use clap_lex::{OsStrExt as _, RawArgs};
use vaultlet_core::command::sentence::is_get;
use vaultlet_core::error::exit;
use vaultlet_core::settings::SETTINGS;
use vaultlet_host::Kind;

use crate::failure::{Failure, Report};
use crate::given_flags::GivenFlags;
use crate::log::Level;
use crate::options::Format;
use crate::{output, trimmed, usage};

/// Read Azure Key Vault secrets, using the identity of this machine or job.
#[derive(Parser)]
#[command(name = "vaultlet", version, arg_required_else_help = true, after_help = AFTER)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The flags of all commands.
#[derive(Args)]
pub(crate) struct Global {
    /// What to report on stderr, one line for each event: off, error, warn, info (one line for each
    /// request) or debug. A value, a token or a secret header is never reported [default: off]
    #[arg(
        long,
        global = true,
        value_enum,
        value_parser = trimmed::word::<Level>(),
        default_value_t = Level::Off,
        hide_default_value = true,
        hide_possible_values = true,
        value_name = "LEVEL",
        display_order = 900
    )]
    pub(crate) log: Level,
}

#[cfg(feature = "dev")]
const AFTER: &str = "\
Every flag is also a variable: --some-flag is VAULTLET_SOME_FLAG, and of dev
VAULTLET_DEV_SOME_FLAG. The flag wins.
To try vaultlet without Azure: vaultlet demo";
#[cfg(not(feature = "dev"))]
const AFTER: &str = "\
Every flag is also a variable: --some-flag is VAULTLET_SOME_FLAG. The flag wins.";

/// The commands, in the order of `--help`.
#[derive(Subcommand)]
pub(crate) enum Command {
    #[command(aliases = ["read", "show"])]
    Get(crate::get::Get),
    #[command(alias = "ls")]
    List(crate::list::List),
    Versions(crate::list::Versions),
    Token(crate::token::Token),
    Whoami(crate::whoami::Whoami),
    #[command(alias = "exec")]
    Run(crate::run::Run),
    Inject(crate::inject::Inject),
    Redact(crate::redact::Redact),
    Export(crate::export::Export),
    Job(crate::job::Job),
    Identity(crate::identity::Identity),
    Agent(crate::agent::Agent),
    #[cfg(feature = "dev")]
    Dev(crate::dev::Dev),
    #[cfg(feature = "dev")]
    Demo(crate::demo::Demo),
    Policy(crate::policy::Policy),
    Plan(crate::plan::Plan),
    Doctor(crate::doctor::Doctor),
    Explain(crate::explain::Explain),
    Install(crate::install::Install),
    Completions(crate::completions::Completions),
    Man(crate::man::Man),
}

impl Arguments {
    /// How an error is to be reported.
    pub(crate) fn report(&self) -> Report {
        let is_json = match &self.command {
            Command::Get(get) if get.output == Format::Env => return Report::Shell,
            Command::Export(export) if export.format == Some(crate::export::Format::Sh) => {
                return Report::Shell;
            }
            Command::Get(get) => get.output == Format::Json,
            Command::List(list) => list.output == crate::list::Format::Json,
            Command::Versions(versions) => versions.output == crate::list::Format::Json,
            Command::Token(token) => token.output == crate::token::Format::Json,
            Command::Whoami(whoami) => whoami.output == output::Format::Json,
            Command::Doctor(doctor) => doctor.output == output::Format::Json,
            Command::Plan(plan) => plan.output == output::Format::Json,
            Command::Policy(policy) => policy.reports_json(),
            Command::Run(run) => run.reports_json(),
            Command::Job(job) => job.reports_json(),
            Command::Identity(identity) => {
                let crate::identity::Action::Serve(serve) = &identity.action;
                serve.output == crate::identity::Format::Json
            }
            #[cfg(feature = "dev")]
            Command::Dev(dev) => dev.output == crate::dev::Format::Json,
            #[cfg(feature = "dev")]
            Command::Demo(_) => false,
            Command::Agent(_)
            | Command::Completions(_)
            | Command::Explain(_)
            | Command::Export(_)
            | Command::Inject(_)
            | Command::Install(_)
            | Command::Man(_)
            | Command::Redact(_) => false,
        };
        if is_json { Report::Json } else { Report::Line }
    }
}

/// The reason why no command is run.
pub(crate) enum EarlyExit {
    /// The arguments request help or the version.
    Help(clap::Error),
    /// A command of a command is missing.
    NoCommand(clap::Error),
    /// Arguments or variables are wrong.
    Failed { failure: Failure, report: Report },
}

impl EarlyExit {
    pub(crate) fn exit(self) -> ExitCode {
        match self {
            Self::Help(help) => match output::plain(&help.render().to_string()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(failure) => failure.report(Report::Line),
            },
            Self::NoCommand(help) => {
                let _ = write!(std::io::stderr(), "{}", help.render());
                ExitCode::from(exit(Kind::Usage.as_str()))
            }
            Self::Failed { failure, report } => failure.report(report),
        }
    }
}

pub(crate) fn parse(arguments: &[OsString]) -> Result<Arguments, EarlyExit> {
    let wrong = |failure: Failure| EarlyExit::Failed {
        failure: failure.with_help_of(arguments),
        report: wanted_report(arguments),
    };
    if !has_variables()
        && let Some(parsed) = parse_short(arguments)
    {
        return Ok(parsed);
    }
    // Flags alone first: an error in them is a usage error, whatever the variables are.
    let flags = match Arguments::command().try_get_matches_from(arguments) {
        Ok(flags) => flags,
        Err(help) if shows_help(&help) && (is_asked_for(&help) || arguments.len() < 2) => {
            return Err(EarlyExit::Help(help));
        }
        Err(help) if shows_help(&help) => return Err(EarlyExit::NoCommand(help)),
        Err(error) => return Err(wrong(Failure::usage(&usage::sentence(&error)))),
    };
    let variables = variables(&flags);
    let all = with_variables(&flags, &variables)
        .try_get_matches_from(arguments)
        .map_err(|error| wrong(wrong_variable(arguments, &flags, &variables, &error)))?;
    Arguments::from_arg_matches(&all)
        .map_err(|error| wrong(Failure::usage(&usage::sentence(&error))))
}

/// Parses the arguments of a command that makes one call, by the definition of that command alone: to
/// define all commands takes longer than all else that the command line does. Arguments that are wrong,
/// or ask for help, are left to the whole definition.
fn parse_short(arguments: &[OsString]) -> Option<Arguments> {
    type Augment = fn(Clap) -> Clap;
    let commands: [(&str, Augment); 9] = [
        ("export", crate::export::Export::augment_args),
        ("get", crate::get::Get::augment_args),
        ("inject", crate::inject::Inject::augment_args),
        ("list", crate::list::List::augment_args),
        ("redact", crate::redact::Redact::augment_args),
        ("run", crate::run::Run::augment_args),
        ("token", crate::token::Token::augment_args),
        ("versions", crate::list::Versions::augment_args),
        ("whoami", crate::whoami::Whoami::augment_args),
    ];
    let word = arguments.get(1)?.to_str()?;
    let (name, augment) = commands.into_iter().find(|(name, _)| *name == word)?;
    let command = Global::augment_args(Clap::new("vaultlet")).subcommand(augment(Clap::new(name)));
    let matches = command.try_get_matches_from(arguments).ok()?;
    Arguments::from_arg_matches(&matches).ok()
}

fn shows_help(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

/// Whether the help is not that of a command without arguments.
fn is_asked_for(help: &clap::Error) -> bool {
    help.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
}

/// Whether there is any variable that may stand for a flag and is not a setting.
fn has_variables() -> bool {
    std::env::vars_os().any(|(name, _)| {
        let name = name.to_str().filter(|name| name.starts_with(PREFIX));
        // Those of `dev` are none of the commands that this is about.
        let name = name.filter(|name| !name.starts_with(DEV_PREFIX));
        // The library reads this one where there is no flag.
        let name = name.filter(|name| *name != "VAULTLET_POLICY");
        let name = name.filter(|name| *name != vaultlet_host::phases::VARIABLE);
        let name = name.filter(|name| !vaultlet_host::AGENT_VARIABLES.contains(name));
        name.is_some_and(|name| !SETTINGS.iter().any(|setting| setting.variable == name))
    })
}

/// A variable that is set, and the flag that it stands for.
struct Variable {
    name: String,
    flag: String,
}

impl Variable {
    /// Finds the variable that is set for an argument. `--reveal` and `--yes` have no variable, because
    /// consent is given on the command line. The variables of settings are read and checked where the
    /// settings are used.
    fn find(argument: &Arg, prefix: &str) -> Option<Self> {
        let flag = argument.get_long()?;
        let is_setting = SETTINGS.iter().any(|it| it.flag.strip_prefix("--") == Some(flag));
        if is_setting || ["help", "version", "reveal", "yes"].contains(&flag) {
            return None;
        }
        let prefix = if argument.is_global_set() { PREFIX } else { prefix };
        let name = format!("{prefix}{}", flag.to_uppercase().replace('-', "_"));
        let is_set = std::env::var_os(&name)
            .is_some_and(|value| value.to_str().is_none_or(|text| !text.trim().is_empty()));
        is_set.then(|| Self { name, flag: flag.to_owned() })
    }
}

const PREFIX: &str = "VAULTLET_";
const DEV_PREFIX: &str = "VAULTLET_DEV_";

/// The variables that are set for flags of the chosen command, without those whose flag is given: the flag
/// wins.
fn variables(flags: &ArgMatches) -> Vec<Variable> {
    let prefix = if flags.subcommand_name() == Some("dev") { DEV_PREFIX } else { PREFIX };
    let root = Arguments::command();
    let (mut command, mut flags) = (&root, flags);
    let mut arguments: Vec<_> = command.get_arguments().collect();
    while let Some((name, of_chosen)) = flags.subcommand() {
        let Some(chosen) = command.find_subcommand(name) else { break };
        (command, flags) = (chosen, of_chosen);
        arguments.extend(chosen.get_arguments());
    }
    // The matches of the chosen command contain the global flags.
    let given = GivenFlags::from_arg_matches(flags).unwrap_or_default();
    let found = arguments.into_iter().filter_map(|argument| Variable::find(argument, prefix));
    found.filter(|variable| !given.has(&variable.flag)).collect()
}

/// The definition of the command line, with these variables bound to flags of the chosen command.
fn with_variables(flags: &ArgMatches, variables: &[Variable]) -> Clap {
    let bind = |argument: Arg| {
        let variable = variables.iter().find(|it| argument.get_long() == Some(it.flag.as_str()));
        match variable {
            Some(variable) => {
                let argument = argument.env(variable.name.clone()).hide_env_values(true);
                match argument.get_action() {
                    ArgAction::SetTrue => argument.value_parser(trimmed::switch()),
                    _ => argument,
                }
            }
            None => argument,
        }
    };
    chosen(Arguments::command().mut_args(bind), flags, &bind)
}

/// The definition of a command in which the arguments of the chosen subcommands are changed.
fn chosen(command: Clap, flags: &ArgMatches, change: &impl Fn(Arg) -> Arg) -> Clap {
    let Some((name, flags)) = flags.subcommand() else { return command };
    command.mut_subcommand(name, |subcommand| chosen(subcommand.mut_args(change), flags, change))
}

/// The failure of the first variable with which parsing fails. The flags were parsed alone before, so the
/// error is in a variable.
fn wrong_variable(
    arguments: &[OsString],
    flags: &ArgMatches,
    variables: &[Variable],
    error: &clap::Error,
) -> Failure {
    for (at, variable) in variables.iter().enumerate() {
        let so_far = variables.get(..=at).unwrap_or_default();
        if let Err(error) = with_variables(flags, so_far).try_get_matches_from(arguments) {
            return Failure::variable(&variable.name, &usage::refusal(&error));
        }
    }
    Failure::usage(&usage::sentence(error))
}

/// How an error is to be reported, for arguments that clap refused.
fn wanted_report(words: &[OsString]) -> Report {
    let has = |is: fn(&str) -> bool| words.iter().any(|word| word.to_str().is_some_and(is));
    let command = words.iter().skip(1).find(|word| !word.as_encoded_bytes().starts_with(b"-"));
    let prefix = if command.is_some_and(|it| it == "dev") { DEV_PREFIX } else { PREFIX };
    let value = |long, short, first: &[&str]| {
        let of_variable = || std::env::var_os(format!("{prefix}{long}").to_uppercase());
        let value = given(words, long, short, first).or_else(of_variable);
        value.and_then(|value| Some(value.to_str()?.trim().to_ascii_lowercase()))
    };
    // A shell may be evaluating the output, whatever else is wrong with the arguments.
    const SHELLS: [&str; 3] = ["sh", "bash", "zsh"];
    let format = value("format", 'f', &SHELLS);
    if has(|word| word == "export") && format.is_some_and(|it| SHELLS.contains(&it.as_str())) {
        return Report::Shell;
    }
    match value("output", 'o', &["env"]).as_deref() {
        Some("json") => Report::Json,
        Some("env") if has(is_get) => Report::Shell,
        _ => Report::Line,
    }
}

/// The value of a flag: one of `first`, if there is one, else the last. Only clap's lexer is used: it knows neither
/// commands nor flags, and so accepts arguments that are wrong.
fn given(words: &[OsString], long: &str, short: char, first: &[&str]) -> Option<OsString> {
    let arguments = RawArgs::new(words);
    let mut cursor = arguments.cursor();
    let mut found: Option<&OsStr> = None;
    // The first argument is the program.
    arguments.next(&mut cursor);
    while let Some(argument) = arguments.next(&mut cursor) {
        let value = if argument.is_escape() {
            break;
        } else if let Some((flag, value)) = argument.to_long() {
            if flag != Ok(long) {
                continue;
            }
            value
        } else if let Some(mut flags) = argument.to_short() {
            // What follows `-e` is its value.
            let mut flags_before = flags.by_ref().take_while(|flag| *flag != Ok('e'));
            if !flags_before.any(|flag| flag == Ok(short)) {
                continue;
            }
            flags.next_value_os().map(|value| value.strip_prefix("=").unwrap_or(value))
        } else {
            continue;
        };
        let value = value.or_else(|| arguments.next_os(&mut cursor));
        if found.is_none_or(|found| !first.iter().any(|first| found == *first)) {
            found = value.or(found);
        }
    }
    found.map(OsStr::to_owned)
}
