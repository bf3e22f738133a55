//! The C ABI of vaultlet. cbindgen makes `vaultlet.h` from this crate, with its documentation.
//!
//! Each function catches panics, checks its pointers for NULL and its strings for UTF-8. A pointer that
//! is neither NULL nor from this library is undefined behaviour, as everywhere in C.

#![allow(non_camel_case_types, reason = "the names are those of the C header")]

mod boxed;
mod call;
mod cancel;
mod environment;
mod error;
mod get;
mod handle;
mod list;
mod operation;
mod options;
mod plan;
#[cfg(feature = "plugins")]
mod plugin;
mod properties;
mod run;
mod secret;
mod text;
mod token;

pub use call::*;
pub use cancel::*;
pub use environment::*;
pub use error::*;
pub use get::*;
pub use handle::*;
pub use list::*;
pub use options::*;
pub use plan::*;
#[cfg(feature = "plugins")]
pub use plugin::*;
pub use properties::*;
pub use secret::*;
pub use token::*;
