//! References in variables: which variables have them, and what they resolve to.

mod env_file;
mod reference;
mod resolve;
mod sources;
mod strings;
mod unsupported;

pub(crate) use reference::Form;
pub(crate) use resolve::{Fetched, Resolved, Value, fetch_each, resolve};
pub(crate) use sources::Sources;
pub(crate) use unsupported::refuse_options;
