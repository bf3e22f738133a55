//! What a check found.

use serde::Serialize;
use vaultlet_core::visible::on_one_line;

use crate::failure::Failure;

/// One line of the answer.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    /// The check's name.
    pub(super) id: &'static str,
    pub(super) state: State,
    /// What was seen, in which nothing is secret.
    pub(super) seen: String,
    /// What to do; empty when there is nothing to do.
    pub(super) help: String,
    /// The failure itself.
    #[serde(skip)]
    pub(super) failure: Option<Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it; or it could not be checked.
    Warn,
    /// It does not work.
    Fail,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What a check found, before the check's name is added.
pub(super) struct Result {
    state: State,
    seen: String,
    help: String,
    failure: Option<Failure>,
}

pub(super) fn ok(seen: impl Into<String>) -> Result {
    Result { state: State::Ok, seen: seen.into(), help: String::new(), failure: None }
}

pub(super) fn warn(seen: impl Into<String>, help: impl Into<String>) -> Result {
    Result { state: State::Warn, seen: seen.into(), help: help.into(), failure: None }
}

/// A failure, with what it is about in front.
pub(super) fn fail(about: &str, failure: &Failure) -> Result {
    let colon = if about.is_empty() { "" } else { ": " };
    let id = failure.id();
    Result {
        state: State::Fail,
        seen: format!("{about}{colon}{} ({id})", failure.message()),
        help: failure.help().to_owned(),
        failure: Some(if about.is_empty() {
            failure.clone()
        } else {
            failure.clone().about(about)
        }),
    }
}

/// A check that cannot be made before another one succeeds.
pub(super) fn waits(about: &str, check: &str) -> Result {
    let colon = if about.is_empty() { "" } else { ": " };
    warn(
        format!("{about}{colon}not checked, because `{check}` failed"),
        format!("first do what `{check}` says"),
    )
}

impl Result {
    pub(super) fn named(self, id: &'static str) -> Finding {
        let Self { state, seen, help, failure } = self;
        let shown = |text: String| on_one_line(&text).collect();
        Finding { id, state, seen: shown(seen), help: shown(help), failure }
    }
}

impl Finding {
    /// The line for people.
    pub(super) fn line(&self) -> String {
        let Self { id, state, seen, help, .. } = self;
        let help = if help.is_empty() { String::new() } else { format!("; {help}") };
        format!("{:4}  {id:10}  {seen}{help}\n", state.name())
    }
}
