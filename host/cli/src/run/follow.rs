//! Hears of new versions from the agent, which holds its answer back until there is one: a question for each secret,
//! however long it stays as it is, and none for the vault.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use vaultlet_host::{Error, Secret, Vaultlet};

/// A secret, and what is new: nothing, where asking has failed before; another version; or why asking fails.
pub(super) type News = (String, Result<Option<Secret>, Error>);

/// The time between two questions about a secret that does not expire, and the longest one while asking fails.
pub(super) const USUAL: Duration = Duration::from_secs(300);
/// The time for which the agent may hold its answer back.
const HELD: Duration = Duration::from_secs(300);
/// The shortest time between two questions, whatever the agent does.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest time between two questions while asking fails.
const LONGEST: Duration = Duration::from_secs(60);

/// One secret.
struct Follower {
    vaultlet: Vaultlet,
    secret: String,
    version: Option<String>,
    interval: Option<Duration>,
    /// The questions in vain since the last answer.
    failures: u32,
    news: Sender<News>,
}

/// Starts to follow secrets, each from the version that was seen of it.
pub(super) fn start<'a>(
    vaultlet: &Vaultlet,
    secrets: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    interval: Option<Duration>,
) -> std::io::Result<Receiver<News>> {
    let (news, received) = mpsc::channel();
    for (secret, version) in secrets {
        let follower = Follower {
            vaultlet: vaultlet.clone(),
            secret: secret.to_owned(),
            version: version.map(str::to_owned),
            interval,
            failures: 0,
            news: news.clone(),
        };
        thread::Builder::new().name("vaultlet-follow".into()).spawn(move || follower.run())?;
    }
    Ok(received)
}

impl Follower {
    fn run(mut self) {
        loop {
            let asked = Instant::now();
            let answer = self.ask();
            let has_failed = answer.is_err();
            let pause = match &answer {
                Err(_) => self.pause(),
                // Of a secret that is not there the agent has nothing to tell.
                Ok(_) if self.version.is_none() => jittered(self.interval.unwrap_or(USUAL)),
                // An agent that does not hold back is not asked all the time.
                Ok(_) => SHORTEST.saturating_sub(asked.elapsed()),
            };
            let is_news = has_failed || self.failures > 0 || !matches!(answer, Ok(None));
            self.failures = if has_failed { self.failures.saturating_add(1) } else { 0 };
            if is_news && self.news.send((self.secret.clone(), answer)).is_err() {
                return;
            }
            thread::sleep(pause);
        }
    }

    /// Another version than the last one, or nothing.
    fn ask(&mut self) -> Result<Option<Secret>, Error> {
        let held = HELD.mul_f64(0.8 + 0.2 * fastrand::f64());
        let told = match &self.version {
            Some(version) => self.vaultlet.changed_blocking(&self.secret, version, held),
            None => self.vaultlet.get_blocking(&self.secret).map(Some),
        };
        let may_ask_vault = |error: &Error| {
            ["agent-unreachable", "agent-unexpected"].contains(&error.id.as_str())
                && self.vaultlet.agent().is_ok_and(|it| it.is_some_and(|agent| agent.falls_back))
        };
        let secret = match told {
            Err(error) if self.version.is_some() && may_ask_vault(&error) => {
                thread::sleep(jittered(self.interval.unwrap_or(USUAL)));
                self.vaultlet.get_blocking(&self.secret)?
            }
            told => match told? {
                Some(secret) => secret,
                None => return Ok(None),
            },
        };
        let version = secret.properties().version.clone();
        if version.is_some() && version == self.version {
            return Ok(None);
        }
        self.version = version;
        Ok(Some(secret))
    }

    /// The time until asking is tried again: longer each time, and not when all others try.
    fn pause(&self) -> Duration {
        let longest = self.interval.map_or(LONGEST, |interval| interval.max(SHORTEST));
        let doubled = SHORTEST.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        jittered(doubled.min(longest))
    }
}

/// A time, give or take a half: many programs that lost the agent together do not ask together.
fn jittered(time: Duration) -> Duration {
    time.mul_f64(0.5 + fastrand::f64())
}
