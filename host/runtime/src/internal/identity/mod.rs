//! The in-process identity endpoint: an HTTP cache in front of whatever gets tokens.

mod cache;
mod endpoint;

pub(crate) use endpoint::{HOST as IDENTITY_HOST, IdentityEndpoint, TokenSource};
