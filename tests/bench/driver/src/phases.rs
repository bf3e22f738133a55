//! The phases of a cold `vaultlet get`: a build with marks in it, and the table of what lies between them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    prepare::shipped,
    table::{median, spread},
};

/// The variable that has the program print its marks.
pub(crate) const VARIABLE: &str = "VAULTLET_PHASES";

/// One step of one run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Phase {
    pub(crate) name: String,
    /// From the start of the process to the end of the step, in µs.
    pub(crate) at_us: f64,
    /// From the end of the step before, in µs.
    pub(crate) took_us: f64,
}

/// Where the program with marks is.
pub(crate) fn program(root: &Path) -> PathBuf {
    root.join("target/bench/release/vaultlet-phases")
}

/// Builds the program with marks, and moves it to where nobody takes it for that of a release.
pub(crate) fn prepare(root: &Path) -> Result<()> {
    shipped(root, &["--features", "vaultlet-cli/phases"])?;
    fs::rename(root.join("target/release/vaultlet"), program(root))?;
    // The program without marks takes its place again.
    shipped(root, &[])
}

/// Reads the phases that a program has printed, whose process ended after this time.
pub(crate) fn read(printed: &str, wall_us: f64) -> Result<Vec<Phase>> {
    let lines = printed.lines().filter_map(|line| {
        let (at_us, rest) = line.trim_start().split_once(' ')?;
        let (took_us, name) = rest.trim_start().split_once(' ')?;
        let name = name.trim_start().to_owned();
        Some(Phase { name, at_us: at_us.parse().ok()?, took_us: took_us.parse().ok()? })
    });
    let mut phases: Vec<_> = lines.collect();
    let last = phases.last().context("the program printed no phases")?.at_us;
    let name = "process ended".to_owned();
    phases.push(Phase { name, at_us: wall_us, took_us: (wall_us - last).max(0.0) });
    Ok(phases)
}

/// The rows of the table, medians, and the number of runs that went through these steps. A run in which
/// something was repeated has others, and is left out.
pub(crate) fn rows(runs: &[Vec<Phase>]) -> (Vec<Vec<String>>, usize) {
    let alike = |run: &Vec<Phase>| runs.iter().filter(|other| is_alike(run, other)).count();
    let Some(usual) = runs.iter().max_by_key(|run| alike(run)) else { return (vec![], 0) };
    let runs: Vec<_> = runs.iter().filter(|run| is_alike(usual, run)).collect();
    let row = |(at, phase): (usize, &Phase)| {
        let of_all: Vec<_> = runs.iter().filter_map(|run| run.get(at)).collect();
        let took: Vec<_> = of_all.iter().map(|phase| phase.took_us).collect();
        let ends: Vec<_> = of_all.iter().map(|phase| phase.at_us).collect();
        vec![phase.name.clone(), spread(&took, 0), format!("{:.0}", median(&ends))]
    };
    (usual.iter().enumerate().map(row).collect(), runs.len())
}

fn is_alike(run: &[Phase], other: &[Phase]) -> bool {
    run.iter().map(|phase| &phase.name).eq(other.iter().map(|phase| &phase.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_prints_is_read() {
        let printed = "   at µs  took µs  phase\n   500.5    500.5  main entered\n   700.0    199.5  Vault: connected\n";
        let phases = read(printed, 900.0).unwrap();
        let names: Vec<_> = phases.iter().map(|phase| phase.name.as_str()).collect();
        assert_eq!(names, ["main entered", "Vault: connected", "process ended"]);
        assert_eq!((phases[1].took_us, phases[2].took_us), (199.5, 200.0));
        let (rows, runs) = rows(&[phases.clone(), phases]);
        assert_eq!(runs, 2);
        assert_eq!(rows[1], ["Vault: connected", "200 [200–200]", "700"]);
    }

    #[test]
    fn a_program_without_marks_is_an_error() {
        assert!(read("", 900.0).is_err());
    }

    #[test]
    fn a_run_with_other_steps_is_left_out() {
        let run = |names: &[&str]| {
            let phase = |name: &&str| Phase { name: (*name).into(), at_us: 1.0, took_us: 1.0 };
            names.iter().map(phase).collect::<Vec<_>>()
        };
        let (rows, runs) = rows(&[run(&["a", "b", "b"]), run(&["a", "b"]), run(&["a", "b"])]);
        assert_eq!((rows.len(), runs), (2, 2));
    }
}
