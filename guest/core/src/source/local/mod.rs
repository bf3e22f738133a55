//! Local identity endpoints, whatever their protocol: one request, one JSON response.
//!
//! A source fills in an [`Endpoint`]; [`token()`] sends the request that it describes.

mod endpoint;
mod identity;
mod job;
mod keyfile;
mod refusal;
mod request;
mod token;

pub(super) use endpoint::{Agent, Endpoint, Protocol};
pub(super) use identity::ChosenIdentity;
pub(super) use job::Job;
pub(super) use token::token;
