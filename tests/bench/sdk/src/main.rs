//! The peer `sdk`: Microsoft's Rust SDK, as its README shows it
//! (<https://docs.rs/azure_security_keyvault_secrets>).

use std::sync::Arc;

use anyhow::{Context, Result};
use azure_identity::ManagedIdentityCredential;
use azure_security_keyvault_secrets::SecretClient;
use bench_measure::{Task, VAULT_HOST, print_report, print_value, tasks, warm_async};
use clap::Parser;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[tokio::main]
async fn main() -> Result<()> {
    let task = Arguments::parse().task;
    let credential = ManagedIdentityCredential::new(None)?;
    let client = SecretClient::new(&format!("https://{VAULT_HOST}"), credential, None)?;
    let (calls, different) = match task {
        Task::Cold { name } => return print_value(&get(&client, &name).await?),
        Task::Conc { callers, calls } => {
            let client = Arc::new(client);
            let call = move |name: String| {
                let client = Arc::clone(&client);
                async move { get(&client, &name).await }
            };
            return print_report(&tasks(callers, calls, call).await?);
        }
        Task::WarmSame { calls } => (calls, false),
        Task::WarmDiff { calls } => (calls, true),
    };
    print_report(&warm_async(calls, different, async |name| get(&client, name).await).await?)
}

async fn get(client: &SecretClient, name: &str) -> Result<String> {
    client.get_secret(name, None).await?.into_model()?.value.context("the secret has no value")
}
