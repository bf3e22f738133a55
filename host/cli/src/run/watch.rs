//! Asks for secrets again, on a thread of its own, and tells of those that have a new version.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::follow::{self, News, USUAL};
use crate::child::Waker;
use crate::failure::Failure;
use crate::references::{Again, Resolved};

/// The shortest time between two questions where no interval is given.
const SHORTEST: Duration = Duration::from_secs(1);

/// A secret that has a new version.
pub(super) struct Change {
    /// The variables that refer to it.
    pub(super) names: Vec<String>,
    /// The new values.
    pub(super) resolved: Resolved,
}

/// Watches secrets until the process ends.
struct Watch {
    again: Again,
    interval: Option<Duration>,
    changes: Sender<Change>,
    /// When each secret is asked for next.
    due: Vec<(Instant, String)>,
    /// The secrets that could not be asked for, each with the id of its error.
    failing: Vec<(String, String)>,
}

/// Starts to watch. Whoever waits for a signal is woken when a change is there.
pub(super) fn start(again: Again, interval: Option<Duration>) -> std::io::Result<Receiver<Change>> {
    let (changes, received) = mpsc::channel();
    if again.vaultlet().agent().is_ok_and(|agent| agent.is_some()) {
        let news = follow::start(again.vaultlet(), again.versions(), interval)?;
        let watch = Watch { again, interval, changes, due: Vec::new(), failing: Vec::new() };
        thread::Builder::new().name("vaultlet-watch".into()).spawn(move || watch.hear(&news))?;
        return Ok(received);
    }
    let now = (Instant::now(), SystemTime::now());
    let due = again.secrets().map(|(secret, expires)| {
        (now.0 + pause(interval, expires, now.1, fastrand::f64()), secret.to_owned())
    });
    let due = due.collect();
    let watch = Watch { again, interval, changes, due, failing: Vec::new() };
    thread::Builder::new().name("vaultlet-watch".into()).spawn(move || watch.run())?;
    Ok(received)
}

impl Watch {
    fn run(mut self) {
        while let Some(first) = self.due.iter().map(|(at, _)| *at).min() {
            thread::sleep(first.saturating_duration_since(Instant::now()));
            let now = Instant::now();
            let secrets: Vec<_> =
                self.due.extract_if(.., |(at, _)| *at <= now).map(|(_, secret)| secret).collect();
            let answers = self.again.ask(&secrets);
            for (secret, answer) in secrets.into_iter().zip(answers) {
                let has_failed = answer.is_err();
                if !self.take(&secret, answer) {
                    return;
                }
                let expires = self.again.secrets().find(|(other, _)| *other == secret);
                let expires = expires.and_then(|(_, expires)| expires);
                let usual = pause(self.interval, expires, SystemTime::now(), fastrand::f64());
                let pause = if has_failed { usual.min(USUAL) } else { usual };
                self.due.push((Instant::now() + pause, secret));
            }
        }
    }

    /// Goes by what the agent tells.
    fn hear(mut self, news: &Receiver<News>) {
        while let Ok((secret, answer)) = news.recv() {
            let answer = match answer.transpose() {
                None => Ok(None),
                Some(answer) => self.again.compare_recorded(&secret, answer.as_ref()),
            };
            if !self.take(&secret, answer) {
                return;
            }
        }
    }

    /// Tells of a change, or that asking has begun to fail. Returns whether anybody listens.
    fn take(&mut self, secret: &str, answer: Result<Option<Resolved>, Failure>) -> bool {
        let names = self.again.variables_of(secret);
        let failed_before = self.failing.iter().position(|(other, _)| other == secret);
        let before = failed_before.map(|at| self.failing.swap_remove(at).1);
        match answer {
            Ok(None) => true,
            Ok(Some(resolved)) => {
                let is_heard = self.changes.send(Change { names, resolved }).is_ok();
                Waker::wake();
                is_heard
            }
            Err(failure) => {
                let id = failure.id().to_owned();
                // Once for each outage, which may concern many secrets.
                let is_known = self.failing.iter().any(|(_, other)| *other == id);
                if before.as_ref() != Some(&id) && !is_known {
                    let help = "the command goes on with the value that it has";
                    failure.with_help(help).tell(&format!("watching {}: ", names.join(", ")));
                }
                self.failing.push((secret.to_owned(), id));
                true
            }
        }
    }
}

/// The time until a secret is asked for again: the interval, or half the time to the end of its version. `random`
/// is from 0 to 1: many programs that were started together do not ask together.
fn pause(
    interval: Option<Duration>,
    expires: Option<SystemTime>,
    now: SystemTime,
    random: f64,
) -> Duration {
    let jittered = |time: Duration| time.mul_f64(0.9 + 0.2 * random);
    match (interval, expires) {
        (Some(interval), _) => jittered(interval),
        (None, None) => jittered(USUAL),
        (None, Some(at)) => match at.duration_since(now) {
            Ok(left) => jittered(left / 2).max(SHORTEST),
            // The longer nobody has renewed it, the less often.
            Err(past) => jittered((past.duration() / 2).min(USUAL)).max(SHORTEST),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_asked_for_sooner_the_sooner_they_expire() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let seconds = Duration::from_secs;
        for (interval, expires, expected) in [
            (None, None, 300),
            (None, Some(now + seconds(1000)), 500),
            (None, Some(now + seconds(365 * 86_400)), 182 * 86_400 + 43_200),
            (None, Some(now + seconds(1)), 1),
            (None, Some(now), 1),
            (None, Some(now - seconds(60)), 30),
            (None, Some(now - seconds(86_400)), 300),
            (Some(seconds(10)), Some(now + seconds(1000)), 10),
            (Some(seconds(10)), None, 10),
        ] {
            let pause = |random| pause(interval, expires, now, random).as_secs_f64();
            let expected = f64::from(expected);
            assert!((pause(0.5) - expected).abs() < 1e-6, "{expires:?}: {}", pause(0.5));
            assert!((pause(0.0) - (expected * 0.9).max(1.0)).abs() < 1e-6, "{}", pause(0.0));
            assert!((pause(1.0) - expected * 1.1).abs() < 1e-6 || expected < 2.0, "{}", pause(1.0));
        }
        let drawn: Vec<_> = (0..100).map(|_| fastrand::f64()).collect();
        assert!(drawn.iter().all(|it| (0.0..=1.0).contains(it)));
        assert!(drawn.iter().any(|it| *it < 0.5) && drawn.iter().any(|it| *it >= 0.5));
    }
}
