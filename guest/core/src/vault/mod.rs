//! Key Vault: references, challenges, reading and listing secrets.
//!
//! From the ground up: `slip` · `reference` · `challenge` · `secret` · `pointer` · `refusal` · `request` ·
//! `client` · `get` and `pages`.
//! <https://learn.microsoft.com/rest/api/keyvault/secrets>

pub mod challenge;
mod client;
mod get;
mod pages;
pub mod pointer;
pub mod reference;
mod refusal;
mod request;
mod secret;
mod slip;

pub use get::get;
pub use pages::{Listed, Page, all, page};
pub use reference::Reference;
pub use secret::{Properties, Secret};
