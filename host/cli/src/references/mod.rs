//! References in variables: which variables have them, and what they resolve to.

mod again;
pub(crate) mod env_file;
mod resolve;
mod sources;
mod strings;
mod unsupported;

pub(crate) use again::{Again, resolve_again};
pub(crate) use resolve::{Fetched, Resolved, Value, check_readable, fetch, resolve, resolve_open};
pub(crate) use sources::{Sources, Variable};
pub(crate) use unsupported::refuse_options;
pub(crate) use vaultlet_host::references::Form;
