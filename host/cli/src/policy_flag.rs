//! The flag `--policy` of the commands that give out secrets. Its variable is the library's to read.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PathBufValueParser;

use crate::options::Options;

/// The policy of a command.
#[derive(Args, Default)]
pub(crate) struct PolicyFlag {
    /// Read only the secrets that this policy allows, and record each as it says (see `vaultlet policy --help`)
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new())]
    policy: Option<PathBuf>,
}

impl PolicyFlag {
    /// Gives the settings of the command its policy.
    pub(crate) fn apply(self, options: &mut Options) {
        options.set_policy(self.policy);
    }
}
