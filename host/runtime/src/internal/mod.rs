//! What the host itself serves to a role, inside this process: HTTP services under names that
//! resolve nowhere else, and planned files.

pub(crate) mod files;
mod identity;
mod keys;
#[cfg(any(feature = "jit", feature = "plugins"))]
mod line_stream;
mod programs;
mod prompt;
mod service;
mod started_programs;

pub(crate) use identity::{
    IDENTITY_HOST, IdentityEndpoint, StoredResponse, TokenQuery, TokenSource,
};
pub(crate) use keys::{Key, Keys};
#[cfg(any(feature = "jit", feature = "plugins"))]
pub(crate) use line_stream::LineStream;
pub(crate) use programs::Programs;
pub(crate) use prompt::plain;
pub(crate) use service::{Served, Service, ServiceError};
#[cfg(target_env = "musl")]
pub(crate) use started_programs::output;
pub use started_programs::with_started;
