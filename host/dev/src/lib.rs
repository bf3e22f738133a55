//! A local Azure for tests: a Key Vault, the identity endpoints of a job, the token authority, and
//! a proxy that serves them at their real names. Programs written for Azure run against it
//! unchanged.
//!
//! ```
//! use vaultlet_dev::{Grant, Local, Role, Who};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let local = Local::builder().vault("my-key-vault").seed("db-password", "hunter2").start()?;
//! let vault = local.vault("my-key-vault").ok_or("the vault was added above")?;
//! assert_eq!(vault.url(), "https://my-key-vault.vault.azure.net");
//!
//! // These variables are all that a child process needs: identity endpoint, proxy and CA.
//! let mut job = std::process::Command::new("python");
//! job.arg("job.py").envs(local.environment().iter().map(|(name, value)| (name, value)));
//!
//! // Roles can be changed while it runs, as a role assignment in Azure can.
//! local.grant(Grant { who: Who::Managed, role: Role::None, name: None });
//! assert_eq!(local.counters().tokens_issued, 0);
//! # Ok(())
//! # }
//! ```
//!
//! A vault has three addresses: its real name through [`Local::proxy`], [`Vault::localhost`] over
//! TLS, and [`Vault::http`] for clients that can use neither a proxy nor a private CA.
//!
//! All listeners are on loopback and run in this process. When [`Local`] is dropped, they stop, the
//! folder with the certificates is removed, and secrets and keys, which are in memory only, are
//! gone.

// The Rust example in README.md, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod authority;
mod builder;
mod ca;
mod client_certificate;
mod clock;
mod counters;
mod directory;
mod environment;
mod error;
mod files;
mod identity;
mod java;
mod limits;
mod listeners;
mod local;
mod log;
mod message;
mod private_folder;
mod state;
mod vault;

pub use authority::Application;
pub use builder::Builder;
pub use counters::Counters;
pub use directory::who::Who;
pub use error::{StartError, UnknownWord};
pub use identity::Form;
pub use local::{Local, Vault};
pub use log::Entry;
pub use vault::{Grant, Role, Seed};
