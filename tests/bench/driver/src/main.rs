//! Measures vaultlet in one run, beside a minimal program in plain Rust (the floor) and Microsoft's SDKs.
//!
//! The driver builds and installs the peers, then starts itself again in a network and mount namespace,
//! where the vault's real name leads to the driver's own server.

mod certificates;
mod delay;
mod found;
mod languages;
mod launch;
mod machine;
mod noise;
mod peers;
mod phases;
mod prepare;
mod sandbox;
mod sections;
mod summary;
mod table;
mod trace;
mod vault;
mod verdict;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, ValueEnum};
use peers::Id;

/// Measures vaultlet in one run, beside a minimal program in plain Rust (the floor) and Microsoft's SDKs.
#[derive(Clone, Debug, Parser)]
#[command(name = "tests/bench/run")]
struct Options {
    /// Processes per peer for `cold`, and for `phases`
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Processes per peer for `warm` and `conc`
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// Calls per process for `warm`; `conc` has twice as many
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    calls: u32,
    /// Measure only these peers
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Id::value_variants())]
    only: Vec<Id>,
    /// Make only these measurements
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Section::value_variants())]
    sections: Vec<Section>,
    /// Longest wait for an idle machine before a `cold` run, in seconds
    #[arg(long, default_value_t = 2.0)]
    settle: f64,
    /// Time that a round trip to the vault takes longer, in ms
    #[arg(long, default_value_t = 0, value_name = "MS", value_parser = clap::value_parser!(u64).range(..=1000))]
    delay_ms: u64,
    /// The root of the repository
    #[arg(long, hide = true)]
    root: PathBuf,
    /// Measure in the current namespaces
    #[arg(long, hide = true)]
    inside: bool,
    /// Peers that cannot be measured, `ID=reason`
    #[arg(long, hide = true)]
    missing: Vec<String>,
}

/// A group of measurements.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Section {
    /// A whole process, from its start to the secret on its stdout; requests; sizes
    Cold,
    /// Sequential calls in one process
    Warm,
    /// 64 callers at once in one process
    Conc,
    /// What the steps of a cold `vaultlet get` cost, by a build with marks in it
    Phases,
}

impl Options {
    /// The chosen peers that take part in a chosen measurement.
    fn peers(&self) -> Vec<Id> {
        let takes_part = |id: &&Id| self.sections.iter().any(|section| id.has(*section));
        self.only.iter().filter(takes_part).copied().collect()
    }
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    if options.inside { sections::measure(&options) } else { prepare::enter(&options) }
}
