//! Marks of the steps of a cold call, for the benchmark. Without the feature `phases`, which no release
//! has, nothing of this is compiled.
//!
//! A mark is a name and the time at which a step was done. [`print()`] prints all marks to stderr, if the
//! variable [`VARIABLE`] is set: one line each, with the µs since the process was started, the µs since
//! the mark before, and the name. The variable's value is the Unix time in ns at which the process was
//! started; with any other value the first mark is the start.

use std::fmt::Display;

/// The variable that has the marks printed.
pub const VARIABLE: &str = "VAULTLET_PHASES";

/// Marks that a step is done.
#[cfg_attr(not(feature = "phases"), inline(always))]
pub fn mark(name: impl Display) {
    #[cfg(feature = "phases")]
    recorded::mark(name.to_string());
    #[cfg(not(feature = "phases"))]
    let _ = name;
}

/// Marks the last step, and prints.
#[cfg_attr(not(feature = "phases"), inline(always))]
pub fn print(last: impl Display) {
    mark(last);
    #[cfg(feature = "phases")]
    recorded::print();
}

#[cfg(feature = "phases")]
mod recorded {
    use std::fmt::Write as _;
    use std::io::Write as _;
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    /// The longest time between the start of a process and its first mark.
    const START_MAX: Duration = Duration::from_mins(1);

    static MARKS: Mutex<Vec<Mark>> = Mutex::new(Vec::new());

    struct Mark {
        name: String,
        at: Instant,
        /// The same time on the clock that whoever started the process has read.
        unix: SystemTime,
    }

    pub(super) fn mark(name: String) {
        let (at, unix) = (Instant::now(), SystemTime::now());
        MARKS.lock().unwrap_or_else(PoisonError::into_inner).push(Mark { name, at, unix });
    }

    pub(super) fn print() {
        let Some(given) = std::env::var_os(super::VARIABLE) else { return };
        let marks = MARKS.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(first) = marks.first() else { return };
        let started = given.to_str().and_then(|ns| ns.parse().ok()).map(Duration::from_nanos);
        let unix = first.unix.duration_since(UNIX_EPOCH).unwrap_or_default();
        let before = started.and_then(|started| unix.checked_sub(started));
        let before = before.filter(|before| *before < START_MAX).unwrap_or_default();
        let mut text = String::from("   at µs  took µs  phase\n");
        let mut last = Duration::ZERO;
        for mark in marks.iter() {
            let at = before + mark.at.saturating_duration_since(first.at);
            let [at_us, took_us] =
                [at, at.saturating_sub(last)].map(|time| time.as_secs_f64() * 1e6);
            // Writing to a string does not fail.
            let _ = writeln!(text, "{at_us:8.1} {took_us:8.1}  {}", mark.name);
            last = at;
        }
        // A closed stderr is no reason to fail.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}
