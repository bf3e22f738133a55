//! The in-process identity endpoint: an HTTP cache in front of whatever gets tokens.

mod cache;
mod endpoint;
mod response;

pub(crate) use endpoint::{HOST as IDENTITY_HOST, IdentityEndpoint, TokenQuery, TokenSource};
pub(crate) use response::StoredResponse;
