//! The component in its roles, one file each; `grant.rs` says what a role is. The planner says what
//! the others need, the broker gets tokens, the vault role reads secrets, the front serves lent
//! requests.

mod broker;
#[cfg(feature = "lend")]
mod front;
mod planner;
mod shared_secret;
pub(crate) mod vault;

pub(crate) use broker::Broker;
#[cfg(feature = "lend")]
pub(crate) use front::Front;
pub(crate) use planner::Planner;
#[cfg(feature = "lend")]
pub(crate) use shared_secret::random_secret;
