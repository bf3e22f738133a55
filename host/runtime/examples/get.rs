//! Gets one secret, in code that is not async, and prints how long its value is.
//!
//! `cargo run -p vaultlet-host --example get -- akv://my-key-vault/db-password`

use std::process::ExitCode;

use vaultlet_host::{Error, Vaultlet};

fn main() -> ExitCode {
    let Some(reference) = std::env::args().nth(1) else {
        eprintln!("usage: get akv://<vault>/<name>");
        return ExitCode::from(64);
    };
    match length_of(&reference) {
        Ok(length) => {
            println!("{reference} has {length} bytes");
            ExitCode::SUCCESS
        }
        Err(error) => {
            // What was being done, what happened, and what to do about it, in one line.
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn length_of(reference: &str) -> Result<usize, Error> {
    // One call: a handle for a single call at a time starts faster.
    let vaultlet = Vaultlet::builder().concurrency(1).open()?;
    let secret = vaultlet.get_blocking(reference)?;
    Ok(secret.reveal().len())
}
