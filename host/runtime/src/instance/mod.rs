//! Instances of the component: the compiled code, the instance pool, what an instance can be asked,
//! and what it reaches.

mod code_memory;
mod component;
mod config;
mod embedded;
mod epoch;
mod export;
mod guest;
mod host;
mod permits;
mod pool;
#[cfg(feature = "jit")]
mod provider;
mod records;
mod store_state;

#[cfg(feature = "plugins")]
pub(crate) use code_memory::Pages;
#[cfg(feature = "plugins")]
pub(crate) use component::not_executable;
pub(crate) use component::{Allocation, Loaded};
#[cfg(feature = "plugins")]
pub(crate) use config::config;
pub(crate) use epoch::Ticker;
pub(crate) use guest::Guest;
pub(crate) use pool::Pool;
#[cfg(feature = "lend")]
pub(crate) use records::Reply;
pub(crate) use records::{Incoming, Route, SecretRecord, TokenRecord, Variables};
