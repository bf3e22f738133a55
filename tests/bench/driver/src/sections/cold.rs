//! `cold`: a process from its start to its end, its requests, and its size.

use std::time::Duration;

use anyhow::Result;
use bench_measure::Task;

use super::{Bench, each, number, say};
use crate::{
    Section,
    found::{difference, ratio},
    launch::Used,
    machine,
    noise::Noise,
    table::spread,
    vault::Counts,
};

/// The number of further secrets when requests are counted.
const FURTHER: u32 = 10;

impl Bench<'_> {
    pub(super) fn cold(&self) -> Result<()> {
        let mut busy = Vec::new();
        let limit = Duration::try_from_secs_f64(self.options.settle)?;
        let runs = self.in_turn(Section::Cold, self.options.runs, |id, run| {
            busy.push(machine::settle(limit)? * 100.0);
            self.launcher.cold(id, &format!("c{run}"))
        })?;
        let wall = |used: &[Used]| each(used, |used| used.wall_us / 1e3);
        let floor = runs.floor(wall);
        let mut rows = Vec::new();
        for (id, used) in &runs.all {
            eprintln!("Cold: counting the system calls of {id}");
            let calls = self.traced(*id, &Task::Cold { name: "s0".to_owned() });
            let threads = calls.map(|calls| calls.threads as f64);
            let peak = each(used, |used| used.peak_kib / 1024.0);
            let faults = each(used, |used| used.faults);
            rows.push(vec![
                id.name().to_owned(),
                spread(&wall(used), 1),
                number(ratio(&wall(used), &floor), 2),
                number(difference(&wall(used), &floor), 2),
                spread(&each(used, |used| used.cpu_us / 1e3), 1),
                spread(&peak, 1),
                spread(&faults, 0),
                spread(&each(used, |used| used.switches), 0),
                number(threads, 0),
                number(calls.map(|calls| calls.all as f64), 0),
            ]);
            self.note(*id, |figures| {
                figures.cold = wall(used);
                figures.peak = peak;
                figures.faults = faults;
                figures.threads = threads.into_iter().collect();
            });
        }
        let head = [
            "peer",
            "wall ms",
            "× floor",
            "above floor ms",
            "cpu ms",
            "peak RSS MiB",
            "page faults",
            "context switches",
            "threads",
            "system calls",
        ];
        let title = format!("Cold: process start to value, {} runs", self.options.runs);
        self.print(&title, &head, rows, Section::Cold)?;
        say(&format!("\nOther work on the machine before a run: {} % busy\n", spread(&busy, 0)))?;
        self.noise.borrow_mut().push(Noise {
            section: Section::Cold,
            what: "cold",
            is_judged: true,
            floor,
            unit: "ms",
            other: runs.other,
        });
        self.requests()?;
        self.sizes()
    }

    fn requests(&self) -> Result<()> {
        let mut rows = Vec::new();
        for id in &self.peers {
            let first = self.counted(|| self.launcher.cold(*id, "s0").map(drop))?;
            let requests = |c: Counts| c.tokens + c.challenges + c.secrets + c.others;
            let mut row = vec![id.name().to_owned()];
            let columns = [first.tokens, first.challenges, first.secrets, first.others];
            row.extend(columns.map(|n| n.to_string()));
            row.push(first.connections.to_string());
            if id.has(Section::Warm) {
                let task = Task::WarmDiff { calls: FURTHER as usize };
                let many = self.counted(|| self.launcher.report(*id, &task).map(drop))?;
                let further = requests(many) - requests(first);
                row.push(format!("{}", further as f64 / f64::from(FURTHER)));
                row.push((many.connections - first.connections).to_string());
            }
            rows.push(row);
        }
        let head = [
            "peer",
            "token",
            "challenge",
            "secret",
            "other",
            "TLS connections",
            "requests per further secret",
            "connections for 10 further",
        ];
        self.print(
            "Requests for the first secret, by the servers' counters",
            &head,
            rows,
            Section::Cold,
        )
    }

    fn sizes(&self) -> Result<()> {
        let mut rows = Vec::new();
        for id in &self.peers {
            let bytes = id.size(self.launcher.root)? as f64;
            rows.push(vec![id.name().to_owned(), format!("{:.1}", bytes / f64::from(1 << 20))]);
        }
        let title = "Size: the program's file, or the installed packages without the language";
        self.print(title, &["peer", "MiB"], rows, Section::Cold)
    }
}
