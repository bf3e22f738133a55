//! The handle: what an embedder opens, its calls, and the threads of those whose callers do not wait.

mod builder;
mod environment;
mod fork;
mod guarded;
mod many;
mod operations;
mod pending;
mod plan;
mod probe;
mod process;
mod source;
mod threads;
mod traffic;
mod unrecorded;
mod vaultlet;

pub use builder::Builder;
pub use environment::EnvironmentRequest;
pub use plan::{Plan, Server};
pub use probe::{Certificate, Probe};
pub use source::Agent;
pub use unrecorded::Unrecorded;
pub use vaultlet::Vaultlet;

#[cfg(feature = "plugins")]
pub(crate) use fork::PerProcess;
pub(crate) use operations::Operations;

#[cfg(feature = "plugins")]
pub(crate) use pending::Pending;
#[cfg(feature = "plugins")]
pub(crate) use threads::{Job, Threads};
