//! `vaultlet agent`, which is not on Windows: the kernel there does not say whose request a socket carries.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Args;

use crate::failure::Failure;
use crate::not_here::not_here;

/// Hold secrets for the programs of this machine (not on Windows)
///
/// The agent tells its callers apart by what a unix socket says of them, which Windows has not. Programs on Windows ask
/// an agent that runs in WSL on this machine: start it there with --http 127.0.0.1:PORT --token-file FILE, and set
/// VAULTLET_AGENT=http://127.0.0.1:PORT and VAULTLET_AGENT_TOKEN_FILE here.
#[derive(Args)]
pub(crate) struct Agent {
    /// Not read
    #[arg(hide = true, allow_hyphen_values = true, trailing_var_arg = true)]
    _arguments: Vec<OsString>,
}

impl Agent {
    #[allow(clippy::unused_self, reason = "as on other systems")]
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        Err(not_here(
            "starting the agent: it is",
            "run it in WSL with `--http 127.0.0.1:PORT --token-file FILE`, and set `VAULTLET_AGENT=http://127.0.0.1:PORT` here",
        ))
    }
}
