//! References in variables: which variables have them, and what they resolve to.

mod env_file;
mod reference;
mod resolve;
mod sources;
mod strings;

pub(crate) use reference::Form;
pub(crate) use resolve::{Resolved, Value, resolve};
pub(crate) use sources::{Sources, Variable};
