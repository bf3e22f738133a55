//! Secrets that variables refer to, asked for again: which of them have a new version, and what the variables get
//! by it.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use vaultlet_host::references::{self, References, shown};
use vaultlet_host::{Error, Secret, Vaultlet};

use super::resolve::{Fetched, Resolved, assemble, fetch, found, read};
use super::sources::Variable;
use crate::failure::Failure;
use crate::options::Options;

/// Secrets that can be asked for again. Those whose references have a version never change, and are left out.
pub(crate) struct Again {
    vaultlet: Vaultlet,
    asked: References,
    seen: BTreeMap<String, Seen>,
}

/// What was last seen of a secret.
struct Seen {
    /// The version; `None` when there was no such secret.
    version: Option<String>,
    /// When that version expires.
    expires: Option<SystemTime>,
}

impl Seen {
    fn new(secret: Result<&Secret, &Error>) -> Self {
        let Ok(secret) = secret else { return Self { version: None, expires: None } };
        let properties = secret.properties();
        let seconds = properties.expires.and_then(|seconds| u64::try_from(seconds).ok());
        let expires =
            seconds.and_then(|it| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(it)));
        Self { version: properties.version.clone(), expires }
    }
}

/// [`super::resolve()`] with an open handle, by which the secrets can be asked for again.
pub(crate) fn resolve_again(
    variables: Vec<Variable>,
    only: &[String],
    options: &Options,
    vaultlet: Vaultlet,
) -> Result<(Resolved, Again), Failure> {
    let asked = read(&variables, only, options)?;
    let secrets = fetch(references::secrets(&asked), &vaultlet)?;
    let resolved = assemble(variables, &asked, &secrets)?;
    resolved.record(&secrets, &vaultlet)?;
    let may_change =
        |secret: &str| asked.values().any(|it| it.secret == secret && !it.has_version());
    let seen = secrets.iter().filter(|(secret, _)| may_change(secret));
    let seen = seen.map(|(secret, got)| ((*secret).to_owned(), Seen::new(found(got)))).collect();
    drop(secrets);
    Ok((resolved, Again { vaultlet, asked, seen }))
}

impl Again {
    /// The secrets that may change, each with the time when it expires.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (&str, Option<SystemTime>)> {
        self.seen.iter().map(|(secret, seen)| (secret.as_str(), seen.expires))
    }

    /// The handle.
    pub(crate) fn vaultlet(&self) -> &Vaultlet {
        &self.vaultlet
    }

    /// The secrets that may change, each with the version that was seen.
    pub(crate) fn versions(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let seen = self.seen.iter();
        seen.map(|(secret, seen)| (secret.as_str(), seen.version.as_deref()))
    }

    /// The names of the variables that refer to a secret.
    pub(crate) fn variables_of(&self, secret: &str) -> Vec<String> {
        let of_secret = self.asked.iter().filter(|(_, asked)| asked.secret == secret);
        of_secret.map(|(name, _)| shown(name)).collect()
    }

    /// Asks for secrets: of each what its variables get by a new version, or nothing if it has none.
    pub(crate) fn ask(&mut self, secrets: &[String]) -> Vec<Result<Option<Resolved>, Failure>> {
        let names = secrets.iter().map(String::as_str).collect();
        let fetched: Fetched<'_> = match fetch(names, &self.vaultlet) {
            Ok(fetched) => fetched,
            Err(failure) => return secrets.iter().map(|_| Err(failure.clone())).collect(),
        };
        let gone =
            Error::new(vaultlet_host::Kind::Internal, "internal", "a call gave no result", "");
        let vaultlet = self.vaultlet.clone();
        let compare = |secret: &String| {
            let got = fetched.get(secret.as_str()).map_or(Err(&gone), found);
            self.compare(secret, got, |resolved| resolved.record(&fetched, &vaultlet))
        };
        secrets.iter().map(compare).collect()
    }

    /// What the variables of a secret get by an answer that is recorded already, or nothing if it is what was seen
    /// before.
    pub(crate) fn compare_recorded(
        &mut self,
        secret: &str,
        got: Result<&Secret, &Error>,
    ) -> Result<Option<Resolved>, Failure> {
        self.compare(secret, got, |_| Ok(()))
    }

    /// What the variables of a secret get by an answer, once that is recorded.
    fn compare(
        &mut self,
        secret: &str,
        got: Result<&Secret, &Error>,
        record: impl FnOnce(&Resolved) -> Result<(), Failure>,
    ) -> Result<Option<Resolved>, Failure> {
        let before = self.seen.get(secret).and_then(|seen| seen.version.as_ref());
        let now = match got {
            Ok(secret) => secret.properties().version.as_ref(),
            // A variable that may do without the secret does so already.
            Err(error) if error.id == "secret-not-found" && before.is_none() => None,
            Err(error) => return Err(error.clone().into()),
        };
        let is_new = now != before;
        let mut resolved = Resolved::default();
        if is_new {
            for (name, asked) in self.asked.iter().filter(|(_, asked)| asked.secret == secret) {
                let value = resolved.value(&shown(name), asked, Some(got))?;
                resolved.variables.push((name.clone(), value));
            }
            record(&resolved)?;
        }
        self.seen.insert(secret.to_owned(), Seen::new(got));
        Ok(is_new.then_some(resolved))
    }
}
