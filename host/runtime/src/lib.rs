//! Gets Azure Key Vault secrets for a training job, by a sandboxed component.
//!
//! ```no_run
//! use vaultlet_host::Vaultlet;
//!
//! # async fn job() -> Result<(), vaultlet_host::Error> {
//! let vaultlet = Vaultlet::builder().open()?;
//! let password = vaultlet.get("akv://my-key-vault/db-password").await?;
//! connect("db.internal", password.reveal());
//! # Ok(()) }
//! # fn connect(_: &str, _: &str) {}
//! ```
//!
//! The identity is found as `vaultlet get` finds it: on Azure ML the compute's managed identity, or
//! the user on whose behalf the job runs. In code that is not async, `get_blocking` does the same.
//!
//! The component holds all knowledge of Azure and is given exactly what its plan names: the role
//! that reads secrets reaches one vault and no credential, the role that gets tokens reaches the
//! identity endpoint and no vault. This crate is the rest: instances, HTTP, TLS, the egress policy
//! and a cache.
//!
//! Programs that use Microsoft's SDKs share a handle's identity and its cache by [`Vaultlet::lend`].
//!
//! A [`Secret`] shows its value only by [`Secret::reveal`], and is scrubbed when dropped; buffers
//! of the HTTP and TLS libraries are not.

#![deny(unsafe_code)]

mod authority;
#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
mod bindings;
mod broker;
mod builder;
mod cache;
mod cancel;
mod code;
mod component;
mod config;
mod egress;
mod engine;
mod epoch;
mod error;
mod files;
mod fork;
mod grant;
mod handler;
mod http;
mod identity;
mod inside;
mod keys;
mod lend;
mod level;
mod limits;
mod plan;
mod planner;
#[cfg(feature = "plugins")]
mod plugin;
mod process;
mod programs;
mod prompt;
#[doc(hidden)]
pub mod render;
mod secret;
mod settings;
mod shard;
mod state;
mod task;
mod vaultlet;

pub use builder::Builder;
pub use cancel::Cancel;
pub use error::{Attempt, Error, Kind, Outcome};
pub use lend::{Lend, Lent};
pub use plan::{Plan, Server};
#[cfg(feature = "plugins")]
pub use plugin::{Plugin, PluginBuilder, wave_text};
pub use secret::{Holder, Properties, Secret, Token};
pub use vaultlet::Vaultlet;

/// Which of several user-assigned managed identities to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserAssigned {
    /// By client id, a GUID.
    ClientId(String),
    /// By object (principal) id, a GUID.
    ObjectId(String),
    /// By Azure resource id.
    ResourceId(String),
}

/// What a token is asked for. The default is Key Vault of the configured cloud.
#[derive(Clone, Debug, Default)]
pub struct TokenRequest {
    /// The resource (`https://vault.azure.net`) or scope (`…/.default`).
    pub resource: Option<String>,
    /// The tenant, where a source has a choice.
    pub tenant: Option<String>,
    /// A claims challenge as JSON text; it bypasses the cache and replaces what is in it.
    pub claims: Option<String>,
}
