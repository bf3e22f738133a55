//! `conc`: many callers at once in one process.

use anyhow::Result;
use bench_measure::{Report, Task};

use super::{Bench, cpu_per_call, each, faults_per_call, number};
use crate::{
    Section,
    found::{difference, ratio},
    noise::Noise,
    table::spread,
    vault::Counts,
};

/// The number of callers.
const CALLERS: usize = 64;
/// The calls of the two runs whose system calls are counted.
const TRACED: [usize; 2] = [640, 1920];
/// A run makes a fifth as many calls before it measures, which are counted, too.
const WITH_UNMEASURED: f64 = 1.2;

impl Bench<'_> {
    pub(super) fn conc(&self) -> Result<()> {
        let task = |calls| Task::Conc { callers: CALLERS, calls };
        let calls = 2 * self.options.calls as usize;
        let runs = self.in_turn_awake(Section::Conc, |id, _| {
            let before = self.vault.counts();
            let report = self.launcher.report(id, &task(calls))?;
            Ok((report, self.vault.counts() - before))
        })?;
        let rate = |runs: &[(Report, Counts)]| {
            each(runs, |(report, _)| report.calls as f64 / report.wall_us * 1e6)
        };
        let floor = runs.floor(rate);
        let mut rows = Vec::new();
        for (id, runs) in &runs.all {
            let system_calls =
                self.traced_per_call(Section::Conc, *id, TRACED, WITH_UNMEASURED, task);
            let cpu = each(runs, |(report, _)| cpu_per_call(report));
            rows.push(vec![
                id.name().to_owned(),
                spread(&rate(runs), 0),
                number(ratio(&rate(runs), &floor).map(|share| share * 100.0), 0),
                number(difference(&rate(runs), &floor), 0),
                spread(&each(runs, |(report, _)| report.median_us / 1e3), 2),
                spread(&each(runs, |(report, _)| report.p99_us / 1e3), 1),
                spread(&cpu, 0),
                system_calls,
                spread(&each(runs, |(report, _)| faults_per_call(report)), 2),
                spread(&each(runs, |(report, _)| report.rss_kib as f64 / 1024.0), 1),
                spread(&each(runs, |(_, counts)| counts.connections as f64), 0),
                spread(&each(runs, |(_, counts)| counts.tokens as f64), 0),
            ]);
            self.note(*id, |figures| {
                figures.rate = rate(runs);
                figures.cpu = cpu;
            });
        }
        let head = [
            "peer",
            "calls/s",
            "% of floor",
            "calls/s above floor",
            "ms per call",
            "p99 ms",
            "cpu µs per call",
            "system calls per call",
            "page faults per call",
            "RSS after MiB",
            "TLS connections",
            "token requests",
        ];
        let title = format!("Conc: {CALLERS} callers at once, different secrets{}", runs.note);
        self.print(&title, &head, rows, Section::Conc)?;
        self.noise.borrow_mut().push(Noise {
            section: Section::Conc,
            what: "conc",
            is_judged: true,
            floor,
            unit: "calls/s",
            other: runs.other,
        });
        Ok(())
    }
}
