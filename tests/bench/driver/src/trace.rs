//! System calls, counted by `strace` in runs of their own that are not timed.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

/// The system calls of one run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Calls {
    /// All of them, in all threads.
    pub(crate) all: u64,
    /// The threads: the first one, and every one that was started. A child process counts, too.
    pub(crate) threads: u64,
}

/// Whether `strace` is there and may trace.
pub(crate) fn is_there() -> bool {
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-o", "/dev/null", "true"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What goes before a command whose system calls are to be counted into a file.
pub(crate) fn command(file: &Path) -> Vec<String> {
    let file = file.to_string_lossy();
    ["strace", "-f", "-c", "-o", &file].map(str::to_owned).to_vec()
}

/// Reads `strace`'s table: share, seconds, µs per call, calls, errors (or nothing), name.
pub(crate) fn read(table: &str) -> Result<Calls> {
    let mut calls = Calls { all: 0, threads: 1 };
    for line in table.lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [share, _, _, count, .., name] = fields[..] else { continue };
        let (Ok(_), Ok(count)) = (share.parse::<f64>(), count.parse::<u64>()) else { continue };
        match name {
            "total" => continue,
            "clone" | "clone3" | "fork" | "vfork" => calls.threads += count,
            _ => {}
        }
        calls.all += count;
    }
    Some(calls).filter(|calls| calls.all > 0).context("`strace` printed no table")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 49.55    0.000055           1        34        13 openat
  3.96    0.000004           2         2           clone3
  0.00    0.000000           0         1           execve
------ ----------- ----------- --------- --------- ----------------
100.00    0.000111           0        37        13 total
";

    #[test]
    fn the_table_is_added_up() {
        assert_eq!(read(TABLE).unwrap(), Calls { all: 37, threads: 3 });
    }

    #[test]
    fn no_table_is_an_error() {
        assert!(read("strace: attach: ptrace: Operation not permitted\n").is_err());
    }
}
