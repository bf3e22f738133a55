//! The connection to the vault, below TLS.

use vaultlet_host::Step;

use super::{Facts, Result};
use crate::doctor::facts::failed_step;
use crate::doctor::finding::{fail, ok, waits, warn};
use crate::failure::Failure;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Result> {
    let probes = facts.vaults().iter();
    let probes = probes.filter_map(|vault| Some((vault, vault.probe.as_ref().ok()?)));
    let of = |(vault, probe): (&crate::doctor::facts::Vault, &vaultlet_host::Probe)| {
        let name = &vault.name;
        match failed_step(&probe.seen) {
            Some(("connection", error)) => fail("", &Failure::from(error.clone()).or_help(BLOCKED)),
            Some((check @ ("proxy" | "name" | "limits"), _)) => waits(name, check),
            _ if matches!(probe.seen.failed, Some((Step::Response, _))) => {
                warn(format!("{name} does not answer a request without a token"), NONSENSE)
            }
            _ => ok(match &probe.seen.proxy {
                Some(proxy) => format!("{name} is reached through the proxy {proxy}"),
                None => format!("{name} is reached directly"),
            }),
        }
    };
    probes.map(of).collect()
}

const BLOCKED: &str = "check that this network lets connections out to the vault (firewall, route, network policy), \
    and that the address is the vault's";
const NONSENSE: &str = "check that the address is the vault's, and what stands between";
