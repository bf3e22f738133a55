//! Gets Azure Key Vault secrets for a training job, by a sandboxed WebAssembly component.
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
//! In code that is not async, [`Vaultlet::get_blocking`] does the same. The identity is found as
//! the command `vaultlet get` finds it: on Azure ML the managed identity of the compute, or the
//! user on whose behalf the job runs.
//!
//! # Variables
//!
//! [`Vaultlet::resolve_environment`] gets the secrets that the process's variables refer to, as `vaultlet run` does
//! for a command: with `DB_PASSWORD=akv://my-key-vault/db-password` in the environment, a secret by the name
//! `DB_PASSWORD`.
//!
//! # The agent
//!
//! With `VAULTLET_AGENT` in the environment, or [`Builder::agent`], secrets come from the agent of this machine
//! (`vaultlet agent`), and the program needs no identity of its own: [`Vaultlet::get`] and what is made of it ask the
//! agent, without loading the component. Everything else is done as without an agent. An error is that of the call
//! that the agent has made.
//!
//! # How it works
//!
//! All knowledge of Azure is in the component, which runs in several roles. The component states
//! what each role needs, and the host grants exactly that: the role that reads secrets reaches one
//! vault and has no credential; the role that gets tokens reaches the identity endpoint and no
//! vault. This crate is the host: it runs instances of the component and provides HTTP, TLS, the
//! egress policy and the cache of tokens.
//!
//! # Other programs
//!
//! Programs that use Microsoft's SDKs can share the identity and the token cache of a handle; see
//! [`Vaultlet::lend`].
//!
//! # Secrets in memory
//!
//! A [`Secret`] shows its value only by [`Secret::reveal`], and is scrubbed from memory when it is
//! dropped. The buffers of the TLS library are not scrubbed.
//!
//! # Features
//!
//! * `lend` (default): [`Vaultlet::lend`]; brings a server for HTTP.
//! * `plugins`: `Plugin`, components written by others that read secrets which they are granted.
//! * `jit`: `Builder::component`, a component of your own in place of the built-in one.
//! * `otel`: spans of OpenTelemetry, for each call and each request, by the provider and the propagator that are set in
//!   `opentelemetry::global`. They are children of what is current for the caller, and the agent continues them. No name
//!   and no value of a secret is in them.
//!
//! `plugins` and `jit` bring a compiler for WebAssembly with them. The feature `phases` is for
//! this project's benchmark alone.

#![deny(unsafe_code)]

#[cfg(all(windows, feature = "plugins"))]
compile_error!(
    "the feature `plugins` is not there on Windows: plugins are compiled in a process that `fork` makes"
);

mod agent;
#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
mod bindings;
mod call;
mod error;
mod error_json;
mod exhausted;
mod file;
mod grant;
mod handle;
mod instance;
mod internal;
#[cfg(feature = "lend")]
mod lend;
mod limits;
mod locked;
mod net;
mod pem;
#[doc(hidden)]
pub mod phases;
#[cfg(feature = "plugins")]
mod plugin;
mod policy;
mod protect;
#[doc(hidden)]
pub mod references;
#[doc(hidden)]
pub mod render;
mod role;
#[cfg(feature = "lend")]
mod runtime_thread;
mod secret;
mod settings;
mod system;
mod token;
mod trace;
#[doc(hidden)]
pub mod visible;

#[doc(hidden)]
pub use agent::{AgentStatus, VARIABLES as AGENT_VARIABLES};
pub use call::Cancel;
pub use error::{Attempt, Error, FailedVariable, Kind, Outcome};
#[doc(hidden)]
pub use error_json::{AttemptJson, ErrorJson, VariableJson};
#[doc(hidden)]
pub use exhausted::{exhausted, is_exhausted, not_started};
#[doc(hidden)]
pub use file::read_secret_file;
#[doc(hidden)]
pub use handle::{Agent, Certificate, Probe, Unrecorded};
pub use handle::{Builder, EnvironmentRequest, Plan, Server, Vaultlet};
#[doc(hidden)]
pub use internal::with_started;
#[cfg(feature = "lend")]
#[doc(hidden)]
pub use lend::poll_head;
#[cfg(feature = "lend")]
pub use lend::{Lend, Lent};
pub use net::Traffic;
#[doc(hidden)]
pub use net::{Address, Budget, Seen, Step};
#[cfg(feature = "plugins")]
pub use plugin::{Plugin, PluginBuilder, wave_text};
pub use policy::{
    Audit, Canonical, Decision, Event, EventKind, Policy, Reason, RuleText, Subject, User,
};
pub use protect::protect_process;
pub use secret::{Properties, Secret};
pub use token::{Holder, Token, TokenRequest, UserAssigned};
