//! What the host itself serves to a role, inside this process: HTTP services under names that
//! resolve nowhere else, planned files, and a standard error that a person reads.

pub(crate) mod files;
mod identity;
mod keys;
mod programs;
mod prompt;
mod response;
mod service;

pub(crate) use identity::{IDENTITY_HOST, IdentityEndpoint, TokenSource};
pub(crate) use keys::{Key, Keys};
pub(crate) use programs::Programs;
pub(crate) use prompt::LineStream;
pub(crate) use response::{BufferedResponse, refusal, scrubbed};
pub(crate) use service::{Service, ServiceError};
