//! Which secrets may be read, by whom, and the record of it: the policy and the audit of
//! [`cli.md`](../../../cli/README.md#policy-and-audit). Plugins' grants and the agent's `--allow` are the same rules.

mod audit;
#[cfg(test)]
mod audit_tests;
mod canonical;
mod file;
mod glob;
mod guard;
mod pattern;
#[cfg(test)]
mod pattern_tests;
mod rules;
#[cfg(test)]
mod tests;
mod user;

pub use audit::{Audit, Event, EventKind};
pub use canonical::Canonical;
pub use rules::{Decision, Policy, Reason, RuleText, Subject};
pub use user::User;

pub(crate) use canonical::settings_of;
pub(crate) use guard::Guard;
#[cfg(feature = "plugins")]
pub(crate) use pattern::Pattern;
