//! `--log`: the log on stderr.

use clap::ValueEnum;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use vaultlet_host::Kind;

use crate::failure::Failure;

/// How much to report on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    /// Nothing
    Off,
    /// Defects in vaultlet
    Error,
    /// Requests and connections that were refused
    Warn,
    /// One line for each request: method, host, path, status, ms, request id
    Info,
    /// Internal details, for bug reports
    Debug,
}

/// Starts the log, for vaultlet's own target only: libraries may log secrets at their lower levels.
pub(crate) fn start(level: Level) -> Result<(), Failure> {
    let filter = match level {
        Level::Off => return Ok(()),
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(true)
        .without_time();
    let subscriber = tracing_subscriber::registry()
        .with(Targets::new().with_target("vaultlet", filter))
        .with(lines);
    tracing::subscriber::set_global_default(subscriber).map_err(|e| {
        Failure::own(
            Kind::Internal,
            "internal",
            format!("starting the log: {e}"),
            "report it with this message",
        )
    })
}
