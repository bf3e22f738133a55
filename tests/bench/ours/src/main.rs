//! The peer `ours`: a Rust program that embeds vaultlet, with plain threads or a tokio runtime.

use std::sync::Arc;

use anyhow::Result;
use bench_measure::{Task, print_report, print_value, tasks, threads, warm, warm_async};
use clap::Parser;
use vaultlet_host::Vaultlet;

#[derive(Parser)]
struct Arguments {
    /// Await the calls on a multi-threaded runtime.
    #[arg(long)]
    r#async: bool,
    #[command(subcommand)]
    task: Task,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.r#async {
        tokio::runtime::Runtime::new()?.block_on(asynchronous(arguments.task))
    } else {
        blocking(arguments.task)
    }
}

fn blocking(task: Task) -> Result<()> {
    let vaultlet = Vaultlet::builder().open()?;
    let get = |name: &str| Ok(vaultlet.get_blocking(&reference(name))?.reveal().to_owned());
    match task {
        Task::Cold { name } => print_value(&get(&name)?),
        Task::WarmSame { calls } => print_report(&warm(calls, false, get)?),
        Task::WarmDiff { calls } => print_report(&warm(calls, true, get)?),
        Task::Conc { callers, calls } => print_report(&threads(callers, calls, || Ok(&get))?),
    }
}

async fn asynchronous(task: Task) -> Result<()> {
    let vaultlet = Arc::new(Vaultlet::builder().open()?);
    let get = async |name: &str| Ok(vaultlet.get(&reference(name)).await?.reveal().to_owned());
    match task {
        Task::Cold { name } => print_value(&get(&name).await?),
        Task::WarmSame { calls } => print_report(&warm_async(calls, false, get).await?),
        Task::WarmDiff { calls } => print_report(&warm_async(calls, true, get).await?),
        Task::Conc { callers, calls } => {
            let get = move |name: String| {
                let vaultlet = Arc::clone(&vaultlet);
                async move { Ok(vaultlet.get(&reference(&name)).await?.reveal().to_owned()) }
            };
            print_report(&tasks(callers, calls, get).await?)
        }
    }
}

fn reference(name: &str) -> String {
    format!("akv://bench-kv/{name}")
}
