//! Runs one peer and reports the resources that it used.
//!
//! `bench-launch PROGRAM ARGUMENT…` ends its own stderr with one line: exit status, wall µs, CPU µs,
//! peak resident KiB, minor page faults, context switches. Linux counts a child's peak memory from before
//! its `exec`, so the parent must be smaller than the peer; this program is.
//!
//! A peer for which the variable `VAULTLET_PHASES` is set gets the Unix time in ns of its start in it.
//!
//! `bench-launch --spin` uses up one processor until the process that started it is gone.

use std::{
    env,
    hint::black_box,
    io,
    os::unix::process::parent_id,
    process::{Command, ExitCode},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};

const PHASES: &str = "VAULTLET_PHASES";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let Some(program) = arguments.next() else { return ExitCode::from(64) };
    if program == "--spin" {
        spin();
        return ExitCode::SUCCESS;
    }
    match measured(Command::new(program).args(arguments)) {
        Ok(line) => {
            eprintln!("\n{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(127)
        }
    }
}

fn measured(command: &mut Command) -> io::Result<String> {
    if env::var_os(PHASES).is_some() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        command.env(PHASES, now.as_nanos().to_string());
    }
    let start = Instant::now();
    let status = command.status()?;
    let wall = start.elapsed().as_micros();
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = used.user_time().num_microseconds() + used.system_time().num_microseconds();
    let status = status.code().unwrap_or(-1);
    let switches = used.voluntary_context_switches() + used.involuntary_context_switches();
    let (peak, faults) = (used.max_rss(), used.minor_page_faults());
    Ok(format!("{status} {wall} {cpu} {peak} {faults} {switches}"))
}

fn spin() {
    let parent = parent_id();
    while parent_id() == parent {
        for i in 0..1_000_000 {
            black_box(i);
        }
    }
}
