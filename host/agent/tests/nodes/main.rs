//! A job of 1,000 nodes with 8 ranks, each of which reads the same 5 secrets when it starts, neither fails nor is
//! throttled.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unreachable_pub, dead_code, reason = "the example uses it, too")]

mod simulation;

use std::time::Duration;

use simulation::{Job, simulate};

const JOB: Job = Job {
    nodes: 1_000,
    ranks: 8,
    secrets: 5,
    has_agent: true,
    splay: Duration::ZERO,
    rate: 50,
    runs: Duration::ZERO,
    seed: 1,
};

#[tokio::test(start_paused = true)]
async fn with_a_splay_nothing_fails_and_nothing_is_throttled() {
    for seed in 0..2 {
        let outcome = simulate(Job { splay: Duration::from_secs(15), seed, ..JOB }).await;
        assert_eq!((outcome.failed, outcome.throttled, outcome.stale), (0, 0, 0), "{outcome:?}");
        // One for each secret of each node.
        assert_eq!(outcome.requests, 5_000, "{outcome:?}");
        assert!(outcome.last <= 17.0, "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_splay_some_are_throttled_and_nothing_fails() {
    for seed in 0..2 {
        let outcome = simulate(Job { seed, ..JOB }).await;
        assert_eq!(outcome.failed, 0, "{outcome:?}");
        assert!(outcome.throttled > 0, "5,000 requests at once: {outcome:?}");
        assert!(outcome.last <= 30.0, "{outcome:?}");
    }
}

/// The simulation can fail: it does without an agent.
#[tokio::test(start_paused = true)]
async fn without_an_agent_most_ranks_fail() {
    let outcome = simulate(Job { has_agent: false, nodes: 500, ..JOB }).await;
    assert!(outcome.failed > 10_000 && outcome.throttled > 20_000, "{outcome:?}");
}

/// What is kept is asked anew at times that are spread.
#[tokio::test(start_paused = true)]
async fn an_hour_is_as_quiet() {
    let hour = Duration::from_secs(3_600);
    let job = Job { splay: Duration::from_secs(15), runs: hour, nodes: 200, ranks: 1, ..JOB };
    let outcome = simulate(job).await;
    assert_eq!((outcome.failed, outcome.throttled, outcome.stale), (0, 0, 0), "{outcome:?}");
    // Each secret 15 times, and no more.
    assert!((12_000..18_000).contains(&outcome.requests), "{outcome:?}");
}
