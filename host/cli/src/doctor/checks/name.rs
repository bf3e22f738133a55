//! The vault's name: the addresses that it leads to, and whether a private link is used.

use vaultlet_host::Seen;

use super::{Facts, Result};
use crate::doctor::facts::{failed_step, is_exhausted};
use crate::doctor::finding::{fail, ok, waits, warn};
use crate::failure::Failure;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Result> {
    let of = |vault: &crate::doctor::facts::Vault| {
        let name = &vault.name;
        let seen = match &vault.probe {
            Ok(probe) => &probe.seen,
            Err(error) if is_exhausted(&error.id) => return waits(name, "limits"),
            Err(error) => return fail(name, &Failure::from(error.clone())),
        };
        match failed_step(seen) {
            Some(("name", error)) => fail("", &Failure::from(error.clone()).or_help(WRONG_NAME)),
            Some((check @ ("proxy" | "limits"), _)) => waits(name, check),
            _ => addresses(name, seen),
        }
    };
    facts.vaults().iter().map(of).collect()
}

const WRONG_NAME: &str = "check the vault's name (`az keyvault list --query [].name`), and that this network resolves it";

fn addresses(name: &str, seen: &Seen) -> Result {
    if let Some(proxy) = &seen.proxy {
        return ok(format!("{name} is looked up by the proxy {proxy}"));
    }
    let shown = seen.addresses.iter().map(|it| {
        let kind = if it.is_private { "private" } else { "public" };
        format!("{} ({kind})", it.address.ip())
    });
    let mut text = format!("{name} is {}", shown.collect::<Vec<_>>().join(", "));
    if seen.is_overridden {
        text.push_str(", by `--resolve` (`VAULTLET_RESOLVE`)");
        return ok(text);
    }
    let Some(alias) = &seen.alias else { return ok(text) };
    text.extend([", as ", alias]);
    let is_linked = alias.contains(".privatelink.");
    if is_linked && seen.addresses.iter().any(|it| !it.is_private) {
        return warn(
            format!("{text}: the vault has a private endpoint, and this network leads past it"),
            "link the private DNS zone `privatelink.vaultcore.azure.net` to this network, if the vault refuses public \
             access",
        );
    }
    if is_linked {
        text.push_str(", a private endpoint");
    }
    ok(text)
}
