//! The handle: what an embedder opens, and the threads that its calls run on.

mod builder;
mod cancel;
mod fork;
mod plan;
mod process;
mod task;
mod thread;
mod vaultlet;
mod worker;

pub use builder::Builder;
pub use cancel::Cancel;
pub use plan::{Plan, Server};
pub use vaultlet::Vaultlet;

#[cfg(feature = "plugins")]
pub(crate) use {
    fork::PerProcess,
    task::{Task, fail_if_cancelled},
    thread::RuntimeThread,
};
