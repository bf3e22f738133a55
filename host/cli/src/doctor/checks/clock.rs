//! This machine's clock, beside the vault's.

use std::time::UNIX_EPOCH;

use vaultlet_core::date;

use super::{Facts, Result};
use crate::doctor::facts::failed_step;
use crate::doctor::finding::{ok, waits, warn};

/// The seconds from which a difference is worth a warning. Token authorities allow 300.
const WORTH_A_WARNING: i64 = 60;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Result> {
    let probes = facts.vaults().iter();
    let probes =
        probes.filter_map(|vault| Some((vault.name.as_str(), &vault.probe.as_ref().ok()?.seen)));
    let of = |(name, seen): (&str, &vaultlet_host::Seen)| {
        if let Some((check, _)) = failed_step(seen) {
            return waits(name, check);
        }
        let date = seen.date.as_ref().and_then(|(text, here)| Some((date::parse(text)?, here)));
        let Some((there, here)) = date else {
            return warn(
                format!("{name} does not say what time it is"),
                "compare this machine's clock yourself: `date -u`",
            );
        };
        let here = here.duration_since(UNIX_EPOCH).map_or(0, |here| here.as_secs());
        let ahead = i64::try_from(here).unwrap_or(i64::MAX).saturating_sub(there);
        let way = if ahead < 0 { "behind" } else { "ahead of" };
        let text = format!("{} s {way} {name}", ahead.unsigned_abs());
        if ahead.abs() < WORTH_A_WARNING {
            return ok(text);
        }
        warn(
            format!("this machine's clock is {text}"),
            "set the clock (`timedatectl`, NTP): by a wrong one certificates and tokens seem expired, and the token \
             authority refuses signed statements",
        )
    };
    probes.map(of).collect()
}
