//! Many programs of one machine: one request upstream for each secret.

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use vaultlet_dev::Local;

use crate::support::{Agent, read, request};

const CLIENTS: usize = 1_000;
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

#[test]
fn a_thousand_clients_with_five_secrets_each_are_five_requests_to_the_vault() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let local = NAMES
        .iter()
        .fold(Local::builder(), |builder, name| builder.seed(*name, format!("v4lue-of-{name}")));
    let local = local.start().unwrap();
    let agent = Agent::start(&local, &[]);
    const THREADS: usize = 8;
    let begin = Barrier::new(THREADS);
    let mut times: Vec<Duration> = Vec::new();
    std::thread::scope(|scope| {
        let work = |_| {
            // All connections of a thread are open at once, and ask at once.
            let connect = |_| UnixStream::connect(&agent.socket).unwrap();
            begin.wait();
            let mut times = Vec::new();
            for name in NAMES {
                let mut clients: Vec<_> = (0..CLIENTS / THREADS).map(connect).collect();
                let text = request(&format!("/v1/secret?reference=akv://job/{name}"), "");
                let asked = Instant::now();
                for client in &mut clients {
                    client.write_all(text.as_bytes()).unwrap();
                }
                for client in &mut clients {
                    assert_eq!(read(client).unwrap().value(), format!("v4lue-of-{name}"));
                    times.push(asked.elapsed());
                }
            }
            times
        };
        let threads: Vec<_> = (0..THREADS).map(|at| scope.spawn(move || work(at))).collect();
        times.extend(threads.into_iter().flat_map(|it| it.join().unwrap()));
    });
    times.sort_unstable();
    assert_eq!(times.len(), CLIENTS * NAMES.len());
    println!(
        "{CLIENTS} clients × {} secrets: {} requests to the vault, 0 failures, median {:?}, p99 {:?}",
        NAMES.len(),
        local.counters().operation("get", 200),
        times[times.len() / 2],
        times[times.len() * 99 / 100]
    );
    assert_eq!(local.counters().operation("get", 200), 5);
    assert_eq!(local.counters().vault_requests(), 5);
    assert_eq!(agent.status()["upstream"]["requests"], 5);
}
