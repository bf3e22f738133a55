//! A program with 64 callers, for the soak test: `soak-client SECONDS`. Each caller gets one secret after
//! another, half of them on their own threads and half as futures. Prints a line of JSON ten times:
//! calls, wrong values, errors by id, memory and descriptors.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test program fails by panicking")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_lite::future::block_on;
use vaultlet_host::{Error, Secret, Vaultlet};

const CALLERS: u64 = 64;
const SAMPLES: u32 = 10;

#[derive(Default)]
struct Totals {
    calls: AtomicU64,
    wrong: AtomicU64,
    errors: Mutex<BTreeMap<String, u64>>,
    ended: AtomicBool,
}

fn main() {
    let seconds: f64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let vaultlet = Vaultlet::builder().timeout(Duration::from_secs(5)).open().unwrap();
    let totals = Totals::default();
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (vaultlet, totals) = (&vaultlet, &totals);
            scope.spawn(move || call(vaultlet, totals, caller));
        }
        for _ in 0..SAMPLES {
            std::thread::sleep(Duration::from_secs_f64(seconds / f64::from(SAMPLES)));
            sample(&totals);
        }
        totals.ended.store(true, Ordering::Relaxed);
    });
}

fn call(vaultlet: &Vaultlet, totals: &Totals, caller: u64) {
    let mut number = caller;
    while !totals.ended.load(Ordering::Relaxed) {
        let name = format!("s{number}");
        let reference = format!("akv://job/{name}");
        let got = match caller % 2 {
            0 => vaultlet.get_blocking(&reference),
            _ => block_on(vaultlet.get(&reference)),
        };
        count(totals, &name, got);
        number += CALLERS;
    }
}

fn count(totals: &Totals, name: &str, got: Result<Secret, Error>) {
    totals.calls.fetch_add(1, Ordering::Relaxed);
    match got {
        Ok(secret) if secret.reveal() == format!("value-of-{name}") => {}
        Ok(_) => drop(totals.wrong.fetch_add(1, Ordering::Relaxed)),
        Err(error) => *totals.errors.lock().unwrap().entry(error.id).or_default() += 1,
    }
}

fn sample(totals: &Totals) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let rss = rss.trim().trim_end_matches(" kB");
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count();
    let calls = totals.calls.load(Ordering::Relaxed);
    let wrong = totals.wrong.load(Ordering::Relaxed);
    let errors = totals.errors.lock().unwrap();
    let errors: Vec<_> = errors.iter().map(|(id, count)| format!("\"{id}\":{count}")).collect();
    let errors = errors.join(",");
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{{\"calls\":{calls},\"wrong\":{wrong},\"errors\":{{{errors}}},\"rss\":{rss},\
         \"descriptors\":{descriptors}}}"
    )
    .unwrap();
    out.flush().unwrap();
}
