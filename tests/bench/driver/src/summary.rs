//! The summary: one line for each language, with Microsoft's SDK and vaultlet side by side.

use std::path::Path;

use anyhow::Result;

use crate::{
    found::{Figures, Found, middle},
    languages,
    table::table,
};

/// The table of the languages whose peers were measured; nothing if there is none.
pub(crate) fn by_language(found: &Found, root: &Path) -> Result<String> {
    let mut rows = Vec::new();
    for (language, theirs, ours) in languages::PAIRS {
        for id in theirs.into_iter().chain([ours]) {
            let Some(figures) = found.get(&id) else { continue };
            let of_theirs = theirs.filter(|_| id == ours).and_then(|id| found.get(&id));
            // The median, and how many times better than the SDK's it is.
            let cell = |get: fn(&Figures) -> &[f64], decimals: usize, is_rate: bool| {
                let Some(mine) = middle(get(figures)) else { return "–".to_owned() };
                let theirs = of_theirs.and_then(|figures| middle(get(figures)));
                let times =
                    theirs.map(|theirs| if is_rate { mine / theirs } else { theirs / mine });
                let times = times.map_or(String::new(), |times| format!(" ({times:.1}×)"));
                format!("{mine:.decimals$}{times}")
            };
            let size = id.size(root)? as f64 / f64::from(1 << 20);
            let packages = languages::packages(id, root)?;
            rows.push(vec![
                language.to_owned(),
                id.name().to_owned(),
                cell(|figures| &figures.cold, 1, false),
                cell(|figures| &figures.import, 1, false),
                cell(|figures| &figures.warm, 0, false),
                cell(|figures| &figures.rate, 0, true),
                format!("{size:.1}"),
                packages.map_or("–".to_owned(), |packages| packages.to_string()),
                middle(&figures.peak).map_or("–".to_owned(), |peak| format!("{peak:.1}")),
            ]);
        }
    }
    if rows.is_empty() {
        return Ok(String::new());
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
