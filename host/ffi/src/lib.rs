//! The C ABI of vaultlet; `vaultlet.h` is made of this crate by cbindgen and documents it.
//!
//! Each function catches panics, checks its pointers for NULL and its texts for UTF-8; a pointer that
//! is neither NULL nor from here is undefined behaviour, as everywhere in C.

#![allow(non_camel_case_types, reason = "names of C")]

mod call;
mod cancel;
mod error;
mod get;
mod handle;
mod list;
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
