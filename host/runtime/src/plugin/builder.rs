//! Grants and limits of a plugin, and how it is opened.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::call::Cancel;
use crate::error::{Error, Kind};
use crate::handle::{PerProcess, Vaultlet};
use crate::limits;
use crate::policy::Pattern;
use crate::settings::OnLine;

use super::call::Plugin;
use super::compile::compile;
use super::grants::Grants;
use super::options::PluginOptions;
use super::workers::Workers;

/// What a plugin may read and how much it may use; see [`Vaultlet::plugin`].
#[must_use = "a builder does nothing until `open`"]
pub struct PluginBuilder {
    vaultlet: Vaultlet,
    wasm: Vec<u8>,
    name: Option<String>,
    grants: Vec<String>,
    lists: Vec<String>,
    memory: usize,
    timeout: Duration,
    concurrency: usize,
    on_output: Option<OnLine>,
    open_timeout: Duration,
    open_memory: u64,
    cancel: Option<Cancel>,
}

impl fmt::Debug for PluginBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PluginBuilder")
    }
}

impl Vaultlet {
    /// Starts a builder for a plugin: WebAssembly of a component that imports
    /// `vaultlet:keyvault/secrets`, as the world `vaultlet:keyvault/consumer` says. The plugin gets
    /// secrets with this handle's settings and identity, and may read only what the builder grants.
    pub fn plugin(&self, wasm: impl Into<Vec<u8>>) -> PluginBuilder {
        PluginBuilder::new(self.clone(), wasm.into())
    }
}

impl PluginBuilder {
    fn new(vaultlet: Vaultlet, wasm: Vec<u8>) -> Self {
        Self {
            vaultlet,
            wasm,
            name: None,
            grants: Vec::new(),
            lists: Vec::new(),
            memory: limits::PLUGIN_MEMORY,
            timeout: limits::PLUGIN_CALL,
            concurrency: limits::PLUGIN_CONCURRENCY,
            on_output: None,
            open_timeout: limits::PLUGIN_COMPILE,
            open_memory: limits::PLUGIN_COMPILE_MEMORY,
            cancel: None,
        }
    }

    /// Lets the plugin read this secret, given in any form of a reference, or every secret that a pattern covers, as
    /// in `akv://my-key-vault/train-*`: `*` is any run of characters but `/`. May be called more than once.
    ///
    /// Without a version the plugin may read every version, with a version only that one. Without a
    /// JSON pointer it may read the whole value and every member, with a pointer only that member.
    /// Names are compared as they are written.
    pub fn grant(mut self, reference: impl Into<String>) -> Self {
        self.grants.push(reference.into());
        self
    }

    /// Lets the plugin list the secrets of this vault and their versions, without their values. May
    /// be called more than once. The versions of a secret that was granted without a version can be
    /// listed in any case.
    pub fn grant_list(mut self, vault: impl Into<String>) -> Self {
        self.lists.push(vault.into());
        self
    }

    /// The plugin's name in the log; the default is the first 12 digits of the SHA-256 of its
    /// WebAssembly.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How many bytes the memories of one call may have together; the default is 64 MiB, the
    /// maximum 4 GiB.
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// The time that one call may take, waiting for its turn included; the default is 30 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many calls run at once, 1 to 64; the default is 4. Further calls wait. Each call that runs
    /// has a thread, none of them the handle's own.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.clamp(1, limits::PLUGIN_CONCURRENCY_MAX);
        self
    }

    /// Calls this function with each line that the plugin writes to its standard output or error,
    /// as plain text, on a thread that the function must not block. At most 64 KiB of each call are
    /// passed on; the rest is dropped, as is everything when no function is set. The lines may
    /// contain the granted secrets.
    pub fn on_output(mut self, listen: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_output = Some(Arc::new(listen));
        self
    }

    /// The time that [`PluginBuilder::open`] may take; the default is 60 s.
    pub fn open_timeout(mut self, timeout: Duration) -> Self {
        self.open_timeout = timeout;
        self
    }

    /// How many bytes of memory compiling may take; the default is 2 GiB.
    pub fn open_memory(mut self, bytes: u64) -> Self {
        self.open_memory = bytes;
        self
    }

    /// Ends [`PluginBuilder::open`] when `cancel` is cancelled, with an error whose id is
    /// `cancelled`. Without it, what cancels the handle's calls ends `open`, too.
    pub fn cancel(mut self, cancel: &Cancel) -> Self {
        self.cancel = Some(cancel.clone());
        self
    }

    /// Compiles the component and checks its imports; nothing of it runs yet. No network.
    ///
    /// The call blocks the thread: milliseconds for a small plugin, seconds for one that contains a
    /// JavaScript or Python engine. It compiles in a child process (a `fork`), which the system holds
    /// to the time of [`PluginBuilder::open_timeout`] and the memory of
    /// [`PluginBuilder::open_memory`]. Errors are of kind
    /// [`Configuration`](crate::Kind::Configuration), or of kind
    /// [`InvalidArgument`](crate::Kind::InvalidArgument) for a malformed reference.
    pub fn open(self) -> Result<Plugin, Error> {
        let mut granted = Grants::default();
        for reference in self.grants {
            if !reference.contains('*') {
                // With the settings of the handle, which may refuse what a pattern may be.
                self.vaultlet.canonical(&reference)?;
            }
            granted.secrets.push(Pattern::parse(&reference).map_err(|refused| {
                let message = format!("opening a plugin: {}", refused.why);
                Error::new(Kind::InvalidArgument, "reference-malformed", message, &refused.help)
            })?);
        }
        for vault in self.lists {
            granted.vaults.push(self.vaultlet.canonical_vault(&vault)?);
        }
        let Self { vaultlet, wasm, name, memory, timeout, concurrency, on_output, .. } = self;
        let call = vaultlet.other_call("opening a plugin", self.open_timeout, self.cancel.as_ref());
        let call = call.with_help("allow it more time, if it is to be trusted with that");
        let name = name.unwrap_or_else(|| fingerprint(&wasm));
        let memory = memory.min(limits::PLUGIN_MEMORY_MAX);
        let code = compile(&wasm, self.open_memory, &call)?;
        let options = PluginOptions {
            vaultlet,
            code,
            name,
            grants: granted,
            memory,
            timeout,
            concurrency,
            on_output,
        };
        let workers = PerProcess::new(|| Workers::open(Arc::new(options)))?;
        Ok(Plugin::new(workers))
    }
}

/// The first 12 hexadecimal digits of the SHA-256, which tell plugins apart.
fn fingerprint(wasm: &[u8]) -> String {
    Sha256::digest(wasm).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
