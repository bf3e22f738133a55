//! The certificate that the vault shows, and who issued it.

use std::time::{SystemTime, UNIX_EPOCH};

use vaultlet_core::date;
use vaultlet_host::{Certificate, Probe};

use super::{Facts, Result};
use crate::doctor::facts::failed_step;
use crate::doctor::finding::{fail, ok, waits};
use crate::failure::Failure;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Result> {
    let wrong = facts.wrong("tls");
    if !wrong.is_empty() {
        return wrong;
    }
    let probes = facts.vaults().iter();
    let probes = probes.filter_map(|vault| Some((vault.name.as_str(), vault.probe.as_ref().ok()?)));
    probes.map(|(name, probe)| of_vault(name, probe)).collect()
}

fn of_vault(name: &str, probe: &Probe) -> Result {
    let leaf = probe.seen.certificates.first().and_then(|der| Certificate::parse(der));
    match failed_step(&probe.seen) {
        Some(("tls", error)) => {
            let failure = Failure::from(error.clone());
            let failure = match &leaf {
                Some(leaf) => failure
                    .or_help(&remedy(leaf, probe))
                    .with_message(|message| format!("{message}: {}", describe(leaf))),
                None => failure
                    .or_help("check that this is the vault's address, and what stands between"),
            };
            fail("", &failure)
        }
        Some((check, _)) => waits(name, check),
        None if !probe.server.tls => ok(format!("{name} is plain HTTP, on this machine")),
        None => ok(match leaf {
            Some(leaf) => format!("{name} has a trusted certificate: {}", describe(&leaf)),
            None => format!("{name} has a trusted certificate"),
        }),
    }
}

fn describe(leaf: &Certificate) -> String {
    /// Names that are shown.
    const NAMES: usize = 5;
    let names: Vec<_> = leaf.names.iter().take(NAMES).map(String::as_str).collect();
    let more = if leaf.names.len() > NAMES { ", …" } else { "" };
    let names = match names.as_slice() {
        [] => leaf.subject.clone(),
        names => format!("{}{more}", names.join(", ")),
    };
    let (from, to) = leaf.valid;
    format!(
        "for {names}, issued by {}, valid from {} to {}",
        leaf.issuer,
        date::text(from),
        date::text(to)
    )
}

/// What to do about a certificate that is not trusted.
fn remedy(leaf: &Certificate, probe: &Probe) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let (from, to) = leaf.valid;
    let host = probe.server.host.as_str();
    let is_for = |name: &String| match name.strip_prefix('*') {
        Some(suffix) => {
            host.split_once('.').is_some_and(|(_, rest)| suffix.strip_prefix('.') == Some(rest))
        }
        None => name.eq_ignore_ascii_case(host),
    };
    if now < from || now > to {
        return format!(
            "have the certificate renewed, unless this machine's clock is wrong: it says {}",
            date::text(now)
        );
    }
    if !leaf.names.iter().any(is_for) {
        return "check the vault's name and the address that it leads to: another server is there"
            .into();
    }
    let who = match &probe.seen.proxy {
        Some(_) => "the proxy, or something behind it, ends TLS with a certificate of its own",
        None => "something on the way may end TLS with a certificate of its own",
    };
    format!(
        "{who}: if `{}` is your network's CA, add its certificate by `--ca-file` (`VAULTLET_CA_FILE`)",
        leaf.issuer
    )
}
