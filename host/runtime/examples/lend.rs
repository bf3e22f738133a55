//! Lends the identity to a child process, such as a program that uses Microsoft's SDKs, and tells
//! how many requests it made.
//!
//! `cargo run -p vaultlet-host --example lend -- python train.py`

use std::error::Error;
use std::process::{Command, ExitCode};

use vaultlet_host::{Lend, Vaultlet};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().ok_or("usage: lend <program> [<argument>…]")?;

    let vaultlet = Vaultlet::builder().open()?;
    // Any free port on 127.0.0.1, and tokens for Key Vault only.
    let lent = vaultlet.lend(Lend::default())?;
    let variables = lent.variables().iter().map(|(name, value)| (name, value));
    let status = Command::new(program).args(arguments).envs(variables).status()?;

    eprintln!("requests to {} by status: {:?}", lent.address(), lent.requests());
    // The endpoint is closed here, where `lent` is dropped.
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
