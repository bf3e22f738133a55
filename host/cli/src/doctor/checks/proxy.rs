//! The proxy in use.

use super::{Facts, Result};
use crate::doctor::facts::failed_step;
use crate::doctor::finding::{fail, ok, warn};
use crate::failure::Failure;
use crate::shown_variables::{shown, value};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Result> {
    let wrong = facts.wrong("proxy");
    if !wrong.is_empty() {
        return wrong;
    }
    let probes =
        || facts.vaults().iter().filter_map(|vault| Some((vault, vault.probe.as_ref().ok()?)));
    let failed: Vec<_> = probes()
        .filter_map(|(vault, probe)| match failed_step(&probe.seen)? {
            ("proxy", error) => Some(fail(&vault.name, &Failure::from(error.clone()))),
            _ => None,
        })
        .collect();
    if !failed.is_empty() {
        return failed;
    }
    let variable = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .find(|name| value(name).is_some());
    let Some(name) = variable else {
        if value("HTTP_PROXY").or_else(|| value("http_proxy")).is_some() {
            return vec![warn(
                "none is used: `HTTP_PROXY` is set, and is not read",
                "name the proxy in `HTTPS_PROXY`, if this network needs one",
            )];
        }
        return vec![ok("none is set")];
    };
    let through: Vec<_> = probes()
        .filter_map(|(vault, probe)| {
            Some(format!("{} through {}", vault.name, probe.seen.proxy.as_ref()?))
        })
        .collect();
    let server = value(name).and_then(|value| shown(name, &value));
    let mut text = format!("`{name}`");
    if let Some(server) = server {
        text.extend([" is ", server.as_str()]);
    } else {
        text.push_str(" is set");
    }
    if through.is_empty() {
        if !facts.vaults().is_empty() {
            text.push_str("; no vault here is reached through it");
        }
    } else {
        text.extend(["; ", through.join(", ").as_str()]);
    }
    if value("NO_PROXY").or_else(|| value("no_proxy")).is_some() {
        text.push_str("; `NO_PROXY` is set");
    }
    vec![ok(text)]
}
