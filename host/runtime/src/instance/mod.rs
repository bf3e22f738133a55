//! Instances of the component: the compiled code, the instance pool, and what is in the store of an
//! instance.

mod code_memory;
mod component;
mod config;
mod epoch;
mod pool;
mod store_state;

pub(crate) use component::Loaded;
#[cfg(feature = "plugins")]
pub(crate) use config::config;
pub(crate) use epoch::Epoch;
pub(crate) use pool::{Lease, Pool};
