//! The measurements. Peers take turns, so that changes in the machine's load affect all of them alike, and
//! each is compared with the floor of its own round.

mod cold;
mod conc;
mod phases;
mod warm;

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
    found::{Figures, Found},
    launch::Launcher,
    machine::{self, Meter, Spinners},
    noise::{self, Noise},
    peers::Id,
    sandbox, summary,
    table::table,
    trace::{self, Calls},
    vault::{Counts, Vault},
    verdict,
};

/// Measures and prints the tables; fails if a peer that is not an SDK could not be measured.
pub(crate) fn measure(options: &Options) -> Result<ExitCode> {
    let (vault, trust) = sandbox::start(Duration::from_millis(options.delay_ms))?;
    let mut bench = Bench {
        options,
        vault: &vault,
        launcher: Launcher { root: &options.root, trust: &trust },
        traces: trace::is_there(),
        peers: vec![],
        missing: vec![],
        found: RefCell::default(),
        noise: RefCell::default(),
    };
    bench.admit();
    say(&format!("{}; peers measured in turn, median [min–max]\n", machine::description()))?;
    if options.delay_ms > 0 {
        let delay = options.delay_ms;
        say(&format!(
            "\nA round trip to the vault takes {delay} ms longer, by its server's doing.\n"
        ))?;
    }
    if !bench.traces {
        say("\nNo threads and no system calls: `strace` is missing, or may not trace.\n")?;
    }
    for (id, reason) in &bench.missing {
        say(&format!("\nNot measured: {}: {}\n", id.name(), reason.replace('\n', " ")))?;
    }
    for section in &options.sections {
        match section {
            Section::Cold => bench.cold()?,
            Section::Warm => bench.warm()?,
            Section::Conc => bench.conc()?,
            Section::Phases => bench.phases()?,
        }
    }
    let (found, noise) = (bench.found.borrow(), bench.noise.borrow());
    say(&summary::by_language(&found, &options.root)?)?;
    say(&noise::print(&noise))?;
    say(&verdict::print(&found, &noise, options.delay_ms))?;
    let whole = bench.missing.iter().all(|(id, _)| !id.is_ours());
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Bench<'a> {
    options: &'a Options,
    vault: &'a Vault,
    launcher: Launcher<'a>,
    /// Whether system calls can be counted.
    traces: bool,
    peers: Vec<Id>,
    missing: Vec<(Id, String)>,
    /// For the summary and the verdict.
    found: RefCell<Found>,
    noise: RefCell<Vec<Noise>>,
}

/// The results of all peers, and the share of the processors' time that others used meanwhile.
struct Runs<T> {
    all: Vec<(Id, Vec<T>)>,
    other: f64,
    /// What the title says about the processors.
    note: &'static str,
}

impl<T> Runs<T> {
    /// The floor's figures, one a round; none if it was not measured.
    fn floor(&self, numbers: impl Fn(&[T]) -> Vec<f64>) -> Vec<f64> {
        let floor = self.all.iter().find(|(id, _)| *id == Id::Raw);
        floor.map(|(_, results)| numbers(results)).unwrap_or_default()
    }
}

impl Bench<'_> {
    /// Leaves out peers that do not print the right value.
    fn admit(&mut self) {
        for id in self.options.peers() {
            let told =
                |missing: &String| missing.strip_prefix(&format!("{id}=")).map(str::to_owned);
            let reason = self.options.missing.iter().find_map(told).or_else(|| {
                self.launcher.cold(id, "check").err().map(|error| format!("{error:#}"))
            });
            match reason {
                None => self.peers.push(id),
                Some(reason) => self.missing.push((id, reason)),
            }
        }
    }

    /// Runs every peer once, then every peer again, and so on.
    fn in_turn<T>(
        &self,
        section: Section,
        rounds: u32,
        mut run: impl FnMut(Id, u32) -> Result<T>,
    ) -> Result<Runs<T>> {
        let chosen = self.peers.iter().filter(|id| id.has(section));
        let mut all: Vec<(Id, Vec<T>)> = chosen.map(|id| (*id, Vec::new())).collect();
        let meter = Meter::start()?;
        for i in 0..rounds {
            eprintln!("{section:?}: round {} of {rounds}", i + 1);
            for (id, results) in &mut all {
                results.push(run(*id, i)?);
            }
        }
        Ok(Runs { all, other: meter.other()?, note: "" })
    }

    /// [`Bench::in_turn`] with processors that do not halt.
    fn in_turn_awake<T>(
        &self,
        section: Section,
        run: impl FnMut(Id, u32) -> Result<T>,
    ) -> Result<Runs<T>> {
        let meter = Meter::start()?;
        let spinners = Spinners::start(self.launcher.root);
        let mut runs = self.in_turn(section, self.options.repeat, run)?;
        if spinners.is_none() {
            runs.note = " (no `chrt`: processors may have halted)";
        }
        // What the spinners used is known when they have ended.
        drop(spinners);
        runs.other = meter.other()?;
        Ok(runs)
    }

    fn note(&self, id: Id, write: impl FnOnce(&mut Figures)) {
        write(self.found.borrow_mut().entry(id).or_default());
    }

    fn counted(&self, run: impl FnOnce() -> Result<()>) -> Result<Counts> {
        let before = self.vault.counts();
        run()?;
        Ok(self.vault.counts() - before)
    }

    /// The system calls of one run that is not timed; `None` where they cannot be counted.
    fn traced(&self, id: Id, task: &Task) -> Option<Calls> {
        if !self.traces {
            return None;
        }
        let calls = self.launcher.traced(id, task);
        if let Err(error) = &calls {
            eprintln!("counting the system calls of {id}: {error:#}");
        }
        calls.ok()
    }

    /// System calls per call: what a run with many calls makes more than one with few. A run makes `more`
    /// calls for each that is asked for.
    fn traced_per_call(
        &self,
        section: Section,
        id: Id,
        [few, many]: [usize; 2],
        more: f64,
        task: impl Fn(usize) -> Task,
    ) -> String {
        eprintln!("{section:?}: counting the system calls of {id}");
        let [few_calls, many_calls] = [few, many].map(|calls| self.traced(id, &task(calls)));
        let (Some(few_calls), Some(many_calls)) = (few_calls, many_calls) else {
            return "–".to_owned();
        };
        let difference = many_calls.all as f64 - few_calls.all as f64;
        format!("{:.1}", difference / ((many - few) as f64 * more))
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

fn cpu_per_call(report: &Report) -> f64 {
    report.cpu_us / report.calls as f64
}

fn faults_per_call(report: &Report) -> f64 {
    report.faults as f64 / report.calls as f64
}

fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.decimals$}"))
}

fn say(text: &str) -> Result<()> {
    Ok(stdout().write_all(text.as_bytes())?)
}
