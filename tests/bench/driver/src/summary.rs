//! The summary: one line for each language, with Microsoft's SDK and vaultlet side by side.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;

use crate::{languages, table::table};

/// The medians of one peer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    /// Process start to value, ms.
    pub(crate) cold: Option<f64>,
    /// Peak resident memory of that process, MiB.
    pub(crate) peak: Option<f64>,
    /// The program's first line to its first value, ms.
    pub(crate) import: Option<f64>,
    /// A further call, µs.
    pub(crate) warm: Option<f64>,
    /// Calls per second of many concurrent callers.
    pub(crate) rate: Option<f64>,
}

/// The medians so far, by the peer's short name.
pub(crate) type Found = BTreeMap<String, Figures>;

/// The table of the languages whose peers were measured.
pub(crate) fn by_language(found: &Found, root: &Path) -> Result<String> {
    let mut rows = Vec::new();
    for (language, theirs, ours) in languages::PAIRS {
        for id in theirs.into_iter().chain([ours]) {
            let Some(figures) = found.get(&id.to_string()) else { continue };
            let of_theirs = theirs.and_then(|id| found.get(&id.to_string()));
            let times = |mine: Option<f64>, get: fn(&Figures) -> Option<f64>| {
                let factor = Some(of_theirs.and_then(get)? / mine?);
                factor.filter(|_| id == ours)
            };
            let number = |value: Option<f64>, decimals: usize| {
                value.map_or("–".to_owned(), |value| format!("{value:.decimals$}"))
            };
            let with = |value: Option<f64>, decimals, factor: Option<f64>| {
                let factor = factor.map_or(String::new(), |factor| format!(" ({factor:.1}×)"));
                number(value, decimals) + &factor
            };
            let size = id.size(root)? as f64 / f64::from(1 << 20);
            let packages = languages::packages(id, root)?;
            rows.push(vec![
                language.to_owned(),
                id.name().to_owned(),
                with(figures.cold, 1, times(figures.cold, |f| f.cold)),
                with(figures.import, 1, times(figures.import, |f| f.import)),
                with(figures.warm, 0, times(figures.warm, |f| f.warm)),
                with(figures.rate, 0, times(figures.rate, |f| f.rate).map(|factor| 1.0 / factor)),
                format!("{size:.1}"),
                packages.map_or("–".to_owned(), |packages| packages.to_string()),
                number(figures.peak, 1),
            ]);
        }
    }
    let head = [
        "language",
        "peer",
        "cold ms",
        "first line to value ms",
        "warm µs",
        "64 at once, calls/s",
        "installed MiB",
        "packages",
        "peak MiB",
    ];
    let title = "By language: its SDK and ours (times better), medians";
    Ok(table(title, &head, &rows))
}
