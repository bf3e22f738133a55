//! Gets the secrets that the variables of this process refer to, and prints where each is from.
//!
//! `DB_PASSWORD=akv://my-key-vault/db-password cargo run -p vaultlet-host --example environment`

use std::process::ExitCode;

use vaultlet_host::{EnvironmentRequest, Error, Vaultlet};

fn main() -> ExitCode {
    match print_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn print_all() -> Result<(), Error> {
    let vaultlet = Vaultlet::builder().open()?;
    for (name, secret) in vaultlet.resolve_environment_blocking(&EnvironmentRequest::default())? {
        println!("{name}: {secret:?}, {} bytes", secret.reveal().len());
    }
    Ok(())
}
