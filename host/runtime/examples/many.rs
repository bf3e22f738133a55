//! Gets several secrets at once, in async code, within ten seconds, and prints what is known of
//! them.
//!
//! `cargo run -p vaultlet-host --example many -- akv://my-key-vault/user akv://my-key-vault/password`

use std::process::ExitCode;
use std::time::Duration;

use vaultlet_host::{Error, Kind, Vaultlet};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let references: Vec<String> = std::env::args().skip(1).collect();
    match print_all(&references).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            // The kind says what to do next; these two may pass by themselves.
            if matches!(error.kind, Kind::Unavailable | Kind::Throttled) {
                eprintln!(
                    "try again in {:?}",
                    error.retry_after.unwrap_or(Duration::from_secs(60))
                );
            }
            ExitCode::FAILURE
        }
    }
}

async fn print_all(references: &[String]) -> Result<(), Error> {
    let vaultlet = Vaultlet::builder().timeout(Duration::from_secs(10)).open()?;
    // All at once, in the order of the references; the first error ends the call.
    for secret in vaultlet.get_many(references).await? {
        let properties = secret.properties();
        println!(
            "{} of {}: version {}, {} bytes",
            properties.name,
            properties.vault,
            properties.version.as_deref().unwrap_or("unknown"),
            secret.reveal().len(),
        );
    }
    Ok(())
}
