//! Key Vault: references, challenges, reading and listing secrets.
//! <https://learn.microsoft.com/rest/api/keyvault/secrets>

mod ask;
pub mod challenge;
mod failure;
mod get;
mod pages;
mod pointer;
pub mod reference;
mod secret;

pub use get::get;
pub use pages::{Listed, Page, all, page};
pub use reference::Reference;
pub use secret::{Properties, Secret};
