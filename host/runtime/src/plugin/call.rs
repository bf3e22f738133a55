//! An open plugin, and the calls of its functions.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::call::{Call, Cancel};
use crate::error::Error;
use crate::handle::{Pending, PerProcess};

use super::options::CALLING;
use super::workers::Workers;

/// A component that imports `vaultlet:keyvault/secrets`, opened with what it may read.
///
/// A plugin is cheap to clone; clones share its code and its threads. Each call runs in an instance
/// of its own that is dropped afterwards, so that no call sees what another left behind, and one
/// that traps affects no other.
///
/// An instance has an empty environment, no arguments, no standard input, no files and no network:
/// a component that imports sockets or HTTP is refused when it is opened. An instance has clocks,
/// randomness, and the granted secrets.
///
/// The result of a call is text that the plugin wrote. It contains a secret's value if the plugin
/// put it there: granting a secret to a plugin means trusting the plugin with it.
///
/// ```no_run
/// # fn job(wasm: Vec<u8>) -> Result<(), vaultlet_host::Error> {
/// let vaultlet = vaultlet_host::Vaultlet::builder().open()?;
/// let plugin = vaultlet.plugin(wasm).grant("akv://my-key-vault/db-password").open()?;
/// let result = plugin.call_blocking(r#"describe("akv://my-key-vault/db-password")"#)?;
/// assert_eq!(*result, r#"ok("db-password of my-key-vault.vault.azure.net has 7 bytes")"#);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Plugin {
    workers: Arc<PerProcess<Arc<Workers>>>,
    timeout: Option<Duration>,
    cancel: Option<Cancel>,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plugin({})", self.workers.first().options().name)
    }
}

impl Plugin {
    pub(super) fn new(workers: PerProcess<Arc<Workers>>) -> Self {
        Self { workers: Arc::new(workers), timeout: None, cancel: None }
    }

    /// Returns a clone of the plugin whose calls may take this long, in place of
    /// [`PluginBuilder::timeout`].
    ///
    /// [`PluginBuilder::timeout`]: crate::PluginBuilder::timeout
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self.clone() }
    }

    /// Returns a clone of the plugin whose calls end when `cancel` is cancelled, with an error
    /// whose id is `cancelled`.
    pub fn with_cancel(&self, cancel: &Cancel) -> Self {
        Self { cancel: Some(cancel.clone()), ..self.clone() }
    }

    /// Calls a function that the component exports. The call is written in WAVE, the text form of
    /// component values: `describe("akv://my-key-vault/db")`, or with its interface
    /// `example:plugin/api@0.1.0#describe("…")`. [`wave_text`](crate::wave_text) quotes a string.
    ///
    /// Returns the result in the same form (`ok("…")`, `3`), or an empty string when the function
    /// has no result.
    ///
    /// An error that the function returns is a result of this call (`err("…")`), not an error. It
    /// is an error when the function traps, exits or exceeds a limit; the next call is not
    /// affected. Dropping the future ends the call. The text is scrubbed when it is dropped.
    pub async fn call(&self, call: &str) -> Result<Zeroizing<String>, Error> {
        self.start(call)?.await
    }

    /// [`Plugin::call`] for code that is not async. The call blocks the thread.
    pub fn call_blocking(&self, call: &str) -> Result<Zeroizing<String>, Error> {
        let pending = self.start(call)?;
        let call = Arc::clone(&pending.call);
        pending.wait(&call)
    }

    fn start(&self, text: &str) -> Result<Pending<Zeroizing<String>>, Error> {
        let workers = self.workers.current(Workers::reopen)?;
        let limit = self.timeout.unwrap_or(workers.options().timeout);
        let help = "allow it more time, or see what it waits for";
        let call = Call::new(CALLING, limit, self.cancel.as_ref()).with_help(help);
        call.check()?;
        Ok(workers.start(workers.component().parse_call(text)?, call))
    }
}
