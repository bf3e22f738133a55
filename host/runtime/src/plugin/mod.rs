//! Plugins: components that somebody else wrote, which read the secrets that they are granted and
//! see nothing else of this machine.

mod builder;
mod convert;
#[path = "workers.rs"]
mod home;
mod policy;
#[path = "component.rs"]
mod program;
mod secrets;
#[path = "store_state.rs"]
mod state;
#[path = "wave.rs"]
mod text;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::block_on;

use crate::Vaultlet;
use crate::cancel::Cancel;
use crate::error::Error;
use crate::fork::PerProcess;
use crate::task::{Task, unless_cancelled};

pub use builder::PluginBuilder;
use home::Running;

/// A component that imports `vaultlet:keyvault/secrets`, opened with what it may read. Cheap to
/// clone; clones share its code and its threads.
///
/// Each call runs in an instance of its own that is gone afterwards, so no call sees what another
/// left behind, and one that trapped harms none. An instance has an empty environment, no
/// arguments, no standard input, no files and no network: a component that imports sockets or HTTP
/// is refused when it is opened. It has clocks, randomness, and the granted secrets.
///
/// What a call returns is the plugin's own text. It holds a secret's value if the plugin put it
/// there; a plugin that is granted a secret is trusted with it, as far as its caller lets it speak.
///
/// ```no_run
/// # fn job(wasm: Vec<u8>) -> Result<(), vaultlet_host::Error> {
/// let vaultlet = vaultlet_host::Vaultlet::builder().open()?;
/// let plugin = vaultlet.plugin(wasm).grant("akv://my-key-vault/db-password").open()?;
/// let told = plugin.call_blocking(r#"describe("akv://my-key-vault/db-password")"#)?;
/// assert_eq!(told, r#"ok("db-password of my-key-vault.vault.azure.net has 7 bytes")"#);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Plugin {
    home: Arc<PerProcess<Arc<Running>>>,
    timeout: Option<Duration>,
    cancel: Option<Cancel>,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plugin({})", self.home.first().terms().name)
    }
}

impl Vaultlet {
    /// Starts to open a plugin: WebAssembly of a component that imports `vaultlet:keyvault/secrets`,
    /// as the world `vaultlet:keyvault/consumer` says. It asks with this handle's settings and
    /// identity, and may read nothing until it is granted.
    pub fn plugin(&self, wasm: impl Into<Vec<u8>>) -> PluginBuilder {
        PluginBuilder::new(self.clone(), wasm.into())
    }
}

impl Plugin {
    /// The same plugin for calls that may take this long, in place of what it was opened with.
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self.clone() }
    }

    /// The same plugin for calls that end with an error of the id `cancelled` when this is cancelled.
    pub fn with_cancel(&self, cancel: &Cancel) -> Self {
        Self { cancel: Some(cancel.clone()), ..self.clone() }
    }

    /// Calls a function that the component exports, written in WAVE, the text form of component
    /// values: `describe("akv://my-key-vault/db")`, or with its interface
    /// `example:plugin/api@0.1.0#describe("…")`. [`wave_text`] writes a string so. Gives the result in
    /// the same form (`ok("…")`, `3`), or nothing where the function has none.
    ///
    /// A result of the function's own that is an error is no error of this call. One that traps,
    /// exits or goes beyond a limit is; the next call is not affected. Dropping the future ends the
    /// call.
    pub async fn call(&self, call: &str) -> Result<String, Error> {
        unless_cancelled(DOING, self.cancel.as_ref())?;
        let running = Arc::clone(self.home.here(Running::anew)?);
        let limit = self.timeout.unwrap_or(running.terms().timeout);
        let call = running.program().call(call)?;
        let shard = running.shard()?;
        let task = Task::start(shard, limit, Arc::clone(&running).run(call));
        let help = "allow it more time, or see what it waits for";
        task.end(DOING, self.cancel.as_ref(), help).await
    }

    /// [`Plugin::call`] for code that is not async; it blocks the thread.
    pub fn call_blocking(&self, call: &str) -> Result<String, Error> {
        block_on(self.call(call))
    }
}

/// What every error of a call begins with.
const DOING: &str = "calling a plugin";

pub use text::wave_text;
