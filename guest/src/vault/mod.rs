//! Key Vault: references, challenges, and reading secrets.
//! <https://learn.microsoft.com/rest/api/keyvault/secrets>

pub mod challenge;
mod client;
mod failure;
mod pointer;
pub mod reference;
mod secret;

pub use client::get;
pub use reference::Reference;
pub use secret::{Properties, Secret};
