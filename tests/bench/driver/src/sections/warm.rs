//! `warm`: calls one after the other in one process.

use anyhow::Result;
use bench_measure::{Report, Task};

use super::{Bench, cpu_per_call, each, faults_per_call, number};
use crate::{
    Section,
    found::{difference, ratio},
    noise::Noise,
    table::spread,
};

/// The calls of the two runs whose system calls are counted.
const TRACED: [usize; 2] = [100, 300];

impl Bench<'_> {
    pub(super) fn warm(&self) -> Result<()> {
        self.warm_calls("the same secret", false, |calls| Task::WarmSame { calls })?;
        self.warm_calls("another secret each time", true, |calls| Task::WarmDiff { calls })
    }

    /// Measures one way of calling; the verdict is about the one that `is_judged`.
    fn warm_calls(
        &self,
        what: &'static str,
        is_judged: bool,
        task: fn(usize) -> Task,
    ) -> Result<()> {
        let calls = self.options.calls as usize;
        let runs =
            self.in_turn_awake(Section::Warm, |id, _| self.launcher.report(id, &task(calls)))?;
        let call = |reports: &[Report]| each(reports, |report| report.median_us);
        let floor = runs.floor(call);
        let mut rows = Vec::new();
        for (id, reports) in &runs.all {
            let system_calls = self.traced_per_call(Section::Warm, *id, TRACED, 1.0, task);
            rows.push(vec![
                id.name().to_owned(),
                spread(&call(reports), 0),
                number(difference(&call(reports), &floor), 0),
                number(ratio(&call(reports), &floor), 2),
                spread(&each(reports, |report| report.p99_us), 0),
                spread(&each(reports, cpu_per_call), 0),
                system_calls,
                spread(&each(reports, faults_per_call), 2),
                spread(&each(reports, |report| report.first_us / 1e3), 1),
                spread(&each(reports, |report| report.rss_kib as f64 / 1024.0), 1),
            ]);
            if is_judged {
                self.note(*id, |figures| {
                    figures.warm = call(reports);
                    figures.import = each(reports, |report| report.import_us / 1e3);
                    figures.import.retain(|ms| *ms > 0.0);
                });
            }
        }
        let head = [
            "peer",
            "µs per call",
            "above floor",
            "× floor",
            "p99 µs",
            "cpu µs per call",
            "system calls per call",
            "page faults per call",
            "first call ms",
            "RSS after MiB",
        ];
        let title = format!("Warm: {what}, {calls} calls{}", runs.note);
        self.print(&title, &head, rows, Section::Warm)?;
        let what = if is_judged { "warm, another secret" } else { "warm, the same secret" };
        let (section, unit, other) = (Section::Warm, "µs", runs.other);
        self.noise.borrow_mut().push(Noise { section, what, is_judged, floor, unit, other });
        Ok(())
    }
}
