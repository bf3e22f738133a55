//! The local Azure: a Key Vault, the identity endpoints of a training job, and a proxy that answers
//! for the vault's real name. Programs written for Azure run against it unchanged.
//!
//! ```
//! use vaultlet_dev::{Grant, Local, Role, Who};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let local = Local::builder().vault("my-key-vault").seed("db-password", "hunter2").start()?;
//! let vault = local.vault("my-key-vault").ok_or("this vault was asked for above")?;
//! assert_eq!(vault.url(), "https://my-key-vault.vault.azure.net");
//!
//! // A child process needs these variables and nothing else: identity endpoint, proxy, CA.
//! let mut job = std::process::Command::new("python");
//! job.arg("job.py").envs(local.environment().iter().map(|(name, value)| (name, value)));
//!
//! // What its identity may do can change while it runs, as a role assignment can.
//! local.grant(Grant { who: Who::Managed, role: Role::None, name: None });
//! assert_eq!(local.counters().tokens_issued, 0);
//! # Ok(())
//! # }
//! ```
//!
//! There are three ways in: the real name through [`Local::proxy`], [`Vault::localhost`] over TLS,
//! and [`Vault::http`] for clients that can be given neither a proxy nor a CA.
//!
//! Everything listens on loopback only, lives in this process and is gone when [`Local`] is
//! dropped: values are in memory, the CA's key too, and the folder of its certificate is removed.

mod authority;
mod builder;
mod ca;
mod client_certificate;
mod clock;
mod control;
mod counters;
mod doors;
mod environment;
mod error;
mod files;
mod identity;
mod java;
mod limits;
mod local;
mod log;
mod message;
mod state;
mod vault;

pub use authority::Application;
pub use builder::Builder;
pub use counters::Counters;
pub use error::StartError;
pub use identity::{Form, UnknownWord, Who};
pub use local::{Local, Vault};
pub use log::Entry;
pub use vault::{Grant, Role, Seed};
