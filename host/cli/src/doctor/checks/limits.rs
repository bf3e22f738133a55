//! The limits of this process: descriptors, address space, processes.

use vaultlet_host::Kind;

use super::{Facts, Result, read};
use crate::doctor::finding::{fail, ok, warn};
use crate::failure::Failure;
use crate::system::Limits;

/// Descriptors that must be left, for files and a connection to each server.
const DESCRIPTORS_NEEDED: u64 = 12;
/// A limit of descriptors that a training job soon meets.
const DESCRIPTORS_FEW: u64 = 256;
/// Addresses below which concurrent calls are refused: each reserves 48 MiB.
const ADDRESSES_FEW: u64 = 1 << 30;
/// A limit of processes and threads that a training job soon meets.
const PROCESSES_FEW: u64 = 64;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Result> {
    let wrong = facts.wrong("limits");
    if !wrong.is_empty() {
        return wrong;
    }
    if let Some(failure) = facts.exhausted() {
        return vec![fail("", &failure)];
    }
    let Limits { descriptors, open, addresses, processes } = Limits::of_process();
    // The limit of the container.
    let tasks = read("/sys/fs/cgroup/pids.max").parse::<u64>().ok();
    let processes = processes.into_iter().chain(tasks).min();
    let seen = format!(
        "{} descriptors ({open} open), address space {}, processes {}",
        number(descriptors),
        addresses.map_or("unlimited".into(), |bytes| format!("{} MiB", bytes >> 20)),
        number(processes)
    );
    if let Some(most) = descriptors.filter(|most| most.saturating_sub(open) < DESCRIPTORS_NEEDED) {
        let failure = Failure::own(
            Kind::Configuration,
            "descriptor-limit",
            format!("this process may have {most} files and connections open, and has {open}"),
            "raise the limit (`ulimit -n`)",
        );
        return vec![fail("", &failure)];
    }
    let is_few = |limit: Option<u64>, few: u64| limit.is_some_and(|limit| limit < few);
    let low: Vec<_> = [
        (is_few(descriptors, DESCRIPTORS_FEW), "files and connections (`ulimit -n`)"),
        (is_few(addresses, ADDRESSES_FEW), "address space (`ulimit -v`)"),
        (
            is_few(processes, PROCESSES_FEW),
            "processes and threads (`ulimit -u`, or `pids.max` of the container)",
        ),
    ]
    .into_iter()
    .filter_map(|(is_low, what)| is_low.then_some(what))
    .collect();
    if low.is_empty() {
        return vec![ok(seen)];
    }
    vec![warn(seen, format!("raise the limit of {}", low.join(" and of ")))]
}

fn number(limit: Option<u64>) -> String {
    limit.map_or("unlimited".into(), |limit| limit.to_string())
}
