//! The measurements. Peers take turns, so that changes in the machine's load affect all of them alike.

use std::{
    cell::RefCell,
    io::{Write, stdout},
    process::ExitCode,
    time::Duration,
};

use anyhow::Result;
use bench_measure::{Report, Task};

use crate::{
    Options, Section,
    launch::{Launcher, Used},
    machine::{self, Spinners},
    peers::Id,
    sandbox,
    summary::{self, Figures, Found},
    table::{median, spread, table},
    vault::{Counts, Vault},
};

/// The number of callers in `conc`.
const CALLERS: usize = 64;
/// The number of further secrets when requests are counted.
const FURTHER: u32 = 10;

/// Measures and prints the tables; fails if a peer that is not an SDK could not be measured.
pub(crate) fn measure(options: &Options) -> Result<ExitCode> {
    let (vault, trust) = sandbox::start()?;
    let launcher = Launcher { root: &options.root, trust: &trust };
    let found = RefCell::default();
    let mut bench =
        Bench { options, vault: &vault, launcher, peers: vec![], missing: vec![], found };
    bench.admit();
    say(&format!("{}; peers measured in turn, median [min–max]\n", machine::description()))?;
    for (id, reason) in &bench.missing {
        say(&format!("\nNot measured: {}: {}\n", id.name(), reason.replace('\n', " ")))?;
    }
    for section in &options.sections {
        match section {
            Section::Cold => bench.cold()?,
            Section::Warm => bench.warm()?,
            Section::Conc => bench.conc()?,
        }
    }
    say(&summary::by_language(&bench.found.borrow(), &options.root)?)?;
    let whole = bench.missing.iter().all(|(id, _)| !id.is_ours());
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Bench<'a> {
    options: &'a Options,
    vault: &'a Vault,
    launcher: Launcher<'a>,
    peers: Vec<Id>,
    missing: Vec<(Id, String)>,
    /// Medians for the summary.
    found: RefCell<Found>,
}

impl Bench<'_> {
    /// Leaves out peers that do not print the right value.
    fn admit(&mut self) {
        for id in &self.options.only {
            let told =
                |missing: &String| missing.strip_prefix(&format!("{id}=")).map(str::to_owned);
            let reason = self.options.missing.iter().find_map(told).or_else(|| {
                self.launcher.cold(*id, "check").err().map(|error| format!("{error:#}"))
            });
            match reason {
                None => self.peers.push(*id),
                Some(reason) => self.missing.push((*id, reason)),
            }
        }
    }

    fn cold(&self) -> Result<()> {
        let mut busy = Vec::new();
        let limit = Duration::try_from_secs_f64(self.options.settle)?;
        let runs = self.in_turn(Section::Cold, self.options.runs, |id, run| {
            busy.push(machine::settle(limit)? * 100.0);
            self.launcher.cold(id, &format!("c{run}"))
        })?;
        let wall = |used: &[Used]| each(used, |used| used.wall_us / 1e3);
        for (id, used) in &runs {
            self.note(*id, |figures| {
                figures.cold = Some(median(&wall(used)));
                figures.peak = Some(median(&each(used, |used| used.peak_kib / 1024.0)));
            });
        }
        let floor = floor(&runs, wall);
        let rows = runs.iter().map(|(id, used)| {
            let cpu = each(used, |used| used.cpu_us / 1e3);
            let peak = each(used, |used| used.peak_kib / 1024.0);
            let times =
                floor.map_or("–".into(), |floor| format!("{:.2}", median(&wall(used)) / floor));
            let name = id.name().to_owned();
            vec![name, spread(&wall(used), 1), times, spread(&cpu, 1), spread(&peak, 1)]
        });
        let head = ["peer", "wall ms", "× floor", "cpu ms", "peak RSS MiB"];
        let title = format!("Cold: process start to value, {} runs", self.options.runs);
        self.print(&title, &head, rows.collect(), Section::Cold)?;
        say(&format!("\nOther work on the machine before a run: {} % busy\n", spread(&busy, 0)))?;
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

    fn warm(&self) -> Result<()> {
        let calls = self.options.calls as usize;
        for (what, task) in [
            ("the same secret", Task::WarmSame { calls }),
            ("another secret each time", Task::WarmDiff { calls }),
        ] {
            let spinners = Spinners::start(self.launcher.root);
            let runs = self.in_turn(Section::Warm, self.options.repeat, |id, _| {
                self.launcher.report(id, &task)
            })?;
            let note = spun(spinners);
            let call = |reports: &[Report]| each(reports, |report| report.median_us);
            for (id, reports) in &runs {
                self.note(*id, |figures| {
                    figures.warm = Some(median(&call(reports)));
                    let import = median(&each(reports, |report| report.import_us / 1e3));
                    figures.import = Some(import).filter(|ms| *ms > 0.0);
                });
            }
            let floor = floor(&runs, call);
            let rows = runs.iter().map(|(id, reports)| {
                let above = |floor| format!("{:.0}", median(&call(reports)) - floor);
                vec![
                    id.name().to_owned(),
                    spread(&call(reports), 0),
                    floor.map_or("–".into(), above),
                    spread(&each(reports, |report| report.p99_us), 0),
                    spread(&each(reports, cpu_per_call), 0),
                    spread(&each(reports, |report| report.first_us / 1e3), 1),
                    spread(&each(reports, |report| report.rss_kib as f64 / 1024.0), 1),
                ]
            });
            let head = [
                "peer",
                "µs per call",
                "above floor",
                "p99 µs",
                "cpu µs per call",
                "first call ms",
                "RSS after MiB",
            ];
            let title = format!("Warm: {what}, {calls} calls{note}");
            self.print(&title, &head, rows.collect(), Section::Warm)?;
        }
        Ok(())
    }

    fn conc(&self) -> Result<()> {
        let task = Task::Conc { callers: CALLERS, calls: 2 * self.options.calls as usize };
        let spinners = Spinners::start(self.launcher.root);
        let runs = self.in_turn(Section::Conc, self.options.repeat, |id, _| {
            let before = self.vault.counts();
            let report = self.launcher.report(id, &task)?;
            Ok((report, self.vault.counts() - before))
        })?;
        let note = spun(spinners);
        let rate = |runs: &[(Report, Counts)]| {
            each(runs, |(report, _)| report.calls as f64 / report.wall_us * 1e6)
        };
        for (id, runs) in &runs {
            self.note(*id, |figures| figures.rate = Some(median(&rate(runs))));
        }
        let floor = floor(&runs, rate);
        let rows = runs.iter().map(|(id, runs)| {
            let share = |floor| format!("{:.0}", median(&rate(runs)) / floor * 100.0);
            vec![
                id.name().to_owned(),
                spread(&rate(runs), 0),
                floor.map_or("–".into(), share),
                spread(&each(runs, |(report, _)| report.median_us / 1e3), 2),
                spread(&each(runs, |(report, _)| report.p99_us / 1e3), 1),
                spread(&each(runs, |(report, _)| cpu_per_call(report)), 0),
                spread(&each(runs, |(report, _)| report.rss_kib as f64 / 1024.0), 1),
                spread(&each(runs, |(_, counts)| counts.connections as f64), 0),
                spread(&each(runs, |(_, counts)| counts.tokens as f64), 0),
            ]
        });
        let head = [
            "peer",
            "calls/s",
            "% of floor",
            "ms per call",
            "p99 ms",
            "cpu µs per call",
            "RSS after MiB",
            "TLS connections",
            "token requests",
        ];
        let title = format!("Conc: {CALLERS} callers at once, different secrets{note}");
        self.print(&title, &head, rows.collect(), Section::Conc)
    }

    /// Runs every peer once, then every peer again, and so on.
    fn in_turn<T>(
        &self,
        section: Section,
        runs: u32,
        mut run: impl FnMut(Id, u32) -> Result<T>,
    ) -> Result<Vec<(Id, Vec<T>)>> {
        let chosen = self.peers.iter().filter(|id| id.has(section));
        let mut all: Vec<(Id, Vec<T>)> = chosen.map(|id| (*id, Vec::new())).collect();
        for i in 0..runs {
            eprintln!("{section:?}: round {} of {runs}", i + 1);
            for (id, results) in &mut all {
                results.push(run(*id, i)?);
            }
        }
        Ok(all)
    }

    fn note(&self, id: Id, write: impl FnOnce(&mut Figures)) {
        write(self.found.borrow_mut().entry(id.to_string()).or_default());
    }

    fn counted(&self, run: impl FnOnce() -> Result<()>) -> Result<Counts> {
        let before = self.vault.counts();
        run()?;
        Ok(self.vault.counts() - before)
    }

    fn print(
        &self,
        title: &str,
        head: &[&str],
        mut rows: Vec<Vec<String>>,
        section: Section,
    ) -> Result<()> {
        let missing = self.missing.iter().filter(|(id, _)| id.has(section));
        rows.extend(missing.map(|(id, _)| vec![id.name().to_owned(), "not measured".to_owned()]));
        say(&table(title, head, &rows))
    }
}

fn each<T>(values: &[T], number: impl Fn(&T) -> f64) -> Vec<f64> {
    values.iter().map(number).collect()
}

fn floor<T>(runs: &[(Id, Vec<T>)], numbers: impl Fn(&[T]) -> Vec<f64>) -> Option<f64> {
    runs.iter().find(|(id, _)| *id == Id::Raw).map(|(_, values)| median(&numbers(values)))
}

fn cpu_per_call(report: &Report) -> f64 {
    report.cpu_us / report.calls as f64
}

fn spun(spinners: Option<Spinners>) -> &'static str {
    if spinners.is_some() { "" } else { " (no `chrt`: processors may have halted)" }
}

fn say(text: &str) -> Result<()> {
    Ok(stdout().write_all(text.as_bytes())?)
}
