//! Values of the agent's flags.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

/// A time in seconds: at least `MIN` milliseconds and at most `MAX` seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seconds<const MIN: u64, const MAX: u64>(f64);

impl<const MIN: u64, const MAX: u64> Seconds<MIN, MAX> {
    pub(super) fn duration(self) -> Duration {
        Duration::from_secs_f64(self.0)
    }
}

impl<const MIN: u64, const MAX: u64> FromStr for Seconds<MIN, MAX> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let least = Duration::from_millis(MIN).as_secs_f64();
        let most = Duration::from_secs(MAX).as_secs_f64();
        match text.parse::<f64>() {
            Ok(seconds) if (least..=most).contains(&seconds) => Ok(Self(seconds)),
            _ => Err(format!("it is no number of seconds from {least} to {most}")),
        }
    }
}

/// Requests a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate(u32);

impl Rate {
    /// The rate of the handle. No limit is one that is never reached: a vault that asks for time gets it all the same, and
    /// one that throttles is asked again after a random time.
    pub(super) fn of_handle(self) -> u32 {
        if self.0 == 0 { RATE_MAX } else { self.0 }
    }
}

/// The most that can be asked for: a vault bears 400 a second.
const RATE_MAX: u32 = 100_000;

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(rate) if rate <= RATE_MAX => Ok(Self(rate)),
            _ => Err(format!("it is no whole number of requests a second from 0 to {RATE_MAX}")),
        }
    }
}

/// Where to listen: an IP address, or `localhost`, and a port, of which 0 is any that is free.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address(pub(super) SocketAddr);

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let port = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
        let local = port.map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let address = local.or_else(|| text.parse().ok());
        address.map(Self).ok_or("it is no IP address and port, such as 127.0.0.1:8200")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_in_their_ranges() {
        for (text, is_good) in [
            ("0.1", true),
            ("300", true),
            ("10", true),
            ("0.09", false),
            ("300.1", false),
            ("-1", false),
            ("NaN", false),
            ("inf", false),
            ("", false),
            ("5m", false),
        ] {
            assert_eq!(text.parse::<Seconds<100, 300>>().is_ok(), is_good, "{text}");
        }
        for (text, is_good) in
            [("0", true), ("100000", true), ("100001", false), ("-1", false), ("1.5", false)]
        {
            assert_eq!(text.parse::<Rate>().is_ok(), is_good, "{text}");
        }
        for (text, rate) in [("0", RATE_MAX), ("1", 1), ("50", 50)] {
            assert_eq!(text.parse::<Rate>().map(Rate::of_handle), Ok(rate), "{text}");
        }
        for (text, is_good) in [
            ("127.0.0.1:0", true),
            ("localhost:80", true),
            ("[::1]:80", true),
            ("localhost", false),
            ("8200", false),
            (":8200", false),
            ("job.example:80", false),
            ("127.0.0.1:65536", false),
        ] {
            assert_eq!(text.parse::<Address>().is_ok(), is_good, "{text}");
        }
    }
}
