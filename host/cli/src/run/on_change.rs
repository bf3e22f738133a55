//! `--on-change` and `--interval`.

use std::str::FromStr;
use std::time::Duration;

use crate::child::{SIGNALS, last_signal};

/// What becomes of the command when a secret has a new version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OnChange {
    /// It is asked to end, and started anew.
    #[default]
    Restart,
    /// It gets this signal.
    Signal(i32),
    /// It is asked to end, and this process ends with it.
    Exit,
}

/// A time between two questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interval(pub(crate) Duration);

/// The longest interval: as long as a secret may be asked for with patience.
const INTERVAL_MAX: f64 = 365.0 * 86_400.0;
/// The shortest one; a vault bears some thousands of requests in ten seconds, of all its users.
const INTERVAL_MIN: f64 = 0.1;

impl FromStr for OnChange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, name) = match text.split_once(':') {
            Some((word, name)) => (word, Some(name.trim())),
            None => (text, None),
        };
        match (word.to_ascii_lowercase().as_str(), name) {
            ("restart", None) => Ok(Self::Restart),
            ("exit", None) => Ok(Self::Exit),
            ("signal", Some(name)) => signal(name).map(Self::Signal).ok_or_else(|| {
                if SIGNALS.is_empty() {
                    return "there are no signals on Windows; write restart or exit".to_owned();
                }
                format!("`{name}` is no signal; write a name such as HUP or USR1, or a number")
            }),
            _ => Err("it is not one of restart, signal:NAME, exit".into()),
        }
    }
}

/// The signal of this name, with or without `SIG`, or of this number.
fn signal(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse() {
        return (1..=last_signal()).contains(&number).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    SIGNALS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

/// The name of a signal: `SIGHUP`.
pub(super) fn name(signal: i32) -> String {
    let known = SIGNALS.iter().find(|(_, number)| *number == signal);
    known.map_or_else(|| format!("signal {signal}"), |(name, _)| format!("SIG{name}"))
}

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let seconds = text.parse::<f64>().ok().filter(|_| is_decimal);
        let seconds = seconds.filter(|it| (INTERVAL_MIN..=INTERVAL_MAX).contains(it));
        seconds.map(|it| Self(Duration::from_secs_f64(it))).ok_or_else(|| {
            format!("`{text}` is not a number of seconds from {INTERVAL_MIN} to {INTERVAL_MAX}")
        })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        for (text, expected) in [
            ("restart", Ok(OnChange::Restart)),
            ("Exit", Ok(OnChange::Exit)),
            ("signal:HUP", Ok(OnChange::Signal(libc::SIGHUP))),
            ("signal:SIGUSR1", Ok(OnChange::Signal(libc::SIGUSR1))),
            ("SIGNAL:sigterm", Ok(OnChange::Signal(libc::SIGTERM))),
            ("signal:10", Ok(OnChange::Signal(10))),
            ("signal:0", Err("is no signal")),
            ("signal:65", Err("is no signal")),
            ("signal:NONE", Err("is no signal")),
            ("signal:", Err("is no signal")),
            ("signal", Err("restart, signal:NAME, exit")),
            ("stop", Err("restart, signal:NAME, exit")),
        ] {
            match (text.parse::<OnChange>(), expected) {
                (Ok(got), Ok(expected)) => assert_eq!(got, expected, "{text}"),
                (Err(got), Err(part)) => assert!(got.contains(part), "{text}: {got}"),
                (got, expected) => unreachable!("{text}: {got:?}, not {expected:?}"),
            }
        }
        assert_eq!((name(libc::SIGHUP).as_str(), name(60).as_str()), ("SIGHUP", "signal 60"));
    }

    #[test]
    fn an_interval_is_a_positive_number_of_seconds() {
        for (text, millis) in
            [("1", Some(1000)), ("0.5", Some(500)), ("86400", Some(86_400_000)), ("0", None)]
        {
            let parsed = text.parse::<Interval>().ok().map(|it| it.0.as_millis());
            assert_eq!(parsed, millis, "{text}");
        }
        for text in ["", "-1", "0.05", "1e3", "nan", "inf", "1s", "1e300", "99999999999"] {
            assert!(text.parse::<Interval>().is_err(), "{text}");
        }
    }
}
