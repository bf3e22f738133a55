//! Key Vault: references, challenges, reading and listing secrets.
//!
//! From the ground up: `reference` · `challenge` · `secret` · `pointer` · `request` · `client` ·
//! `get` and `pages`.
//! <https://learn.microsoft.com/rest/api/keyvault/secrets>

pub mod challenge;
mod client;
mod get;
mod pages;
mod pointer;
pub mod reference;
mod request;
mod secret;

pub use get::get;
pub use pages::{Listed, Page, all, page};
pub use reference::Reference;
pub use secret::{Properties, Secret};
