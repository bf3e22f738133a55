//! Prints what happens when many nodes start at one moment: `cargo run --release --example nodes`, with numbers of
//! nodes and seconds of splay as arguments (`1000:15`) or without any.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program of the bench")]
#![allow(unreachable_pub, dead_code, reason = "the tests use it, too")]

#[path = "../tests/nodes/simulation.rs"]
mod simulation;

use std::time::Duration;

use simulation::{Job, simulate};

fn main() {
    let job = Job {
        nodes: 1_000,
        ranks: 8,
        secrets: 5,
        has_agent: true,
        splay: Duration::ZERO,
        rate: 50,
        runs: Duration::ZERO,
        seed: 1,
    };
    let with = |nodes, splay| Job { nodes, splay: Duration::from_secs(splay), ..job };
    let given = |text: String| {
        let (nodes, splay) = text.split_once(':').unwrap_or((&text, "0"));
        Some(with(nodes.parse().ok()?, splay.parse().ok()?))
    };
    let mut jobs: Vec<Job> = std::env::args().skip(1).filter_map(given).collect();
    if jobs.is_empty() {
        let hour = Duration::from_secs(3_600);
        jobs = vec![
            Job { has_agent: false, ..job },
            job,
            with(1_000, 10),
            with(1_000, 15),
            Job { runs: hour, ranks: 1, ..with(1_000, 15) },
            with(10_000, 0),
            with(10_000, 60),
            with(10_000, 150),
        ];
    }
    println!(
        "| nodes | ranks | splay | runs | requests | throttled | failed | half ready | last ready | busiest 10 s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for job in jobs {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let outcome = runtime.block_on(simulate(job));
        let splay = match job.has_agent {
            true => format!("{} s", job.splay.as_secs()),
            false => "no agent".into(),
        };
        println!(
            "| {} | {} | {splay} | {} s | {} | {} | {} | {:.1} s | {:.1} s | {} |",
            job.nodes,
            job.ranks,
            job.runs.as_secs(),
            outcome.requests,
            outcome.throttled,
            outcome.failed,
            outcome.median,
            outcome.last,
            outcome.busiest,
        );
    }
}
