//! How a plugin is opened.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::block_on;
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::fork::PerProcess;
use crate::limits;
use crate::planner::Subject;
use crate::prompt::OnPrompt;
use crate::{Plugin, Vaultlet};

use super::home::Running;
use super::policy::{Policy, Reference};
use super::program::Compiled;

/// What a plugin may read and how much it may use, begun by [`Vaultlet::plugin`].
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
    on_output: Option<OnPrompt>,
}

impl fmt::Debug for PluginBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PluginBuilder")
    }
}

/// The terms on which a plugin runs.
pub(super) struct Terms {
    pub(super) vaultlet: Vaultlet,
    pub(super) code: Compiled,
    pub(super) name: String,
    pub(super) policy: Policy,
    pub(super) memory: usize,
    pub(super) timeout: Duration,
    pub(super) concurrency: usize,
    pub(super) on_output: Option<OnPrompt>,
}

impl PluginBuilder {
    pub(super) fn new(vaultlet: Vaultlet, wasm: Vec<u8>) -> Self {
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
        }
    }

    /// Lets it read this secret, in any form of a reference; may be repeated. Without a version it may
    /// read each version, with one only that; without a JSON pointer it may read the whole and each
    /// member, with one only that member. Names are compared as they are written.
    pub fn grant(mut self, reference: impl Into<String>) -> Self {
        self.grants.push(reference.into());
        self
    }

    /// Lets it list the secrets of this vault and their versions, with all but the values; may be
    /// repeated. The versions of a secret that it may read in each of them it may list anyway.
    pub fn grant_list(mut self, vault: impl Into<String>) -> Self {
        self.lists.push(vault.into());
        self
    }

    /// What it is called in the log; the beginning of its SHA-256 unless set.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Bytes that the memories of one call may have together, at most 4 GiB; 64 MiB unless set.
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// The time that one call may take, from when it is made to its result; 30 s unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many calls run at once, 1 to 64; 4 unless set. More wait in line. They share at most as
    /// many threads as the machine has processors, none of them the handle's own.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.clamp(1, limits::PLUGIN_CONCURRENCY_MAX);
        self
    }

    /// Who hears what it writes to its standard output and error, line by line, as plain text, on a
    /// thread that must not be kept: at most 64 KiB a call, the rest is dropped. Without it all is.
    /// It may hold the secrets that the plugin was granted.
    pub fn on_output(mut self, hear: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_output = Some(Arc::new(hear));
        self
    }

    /// Compiles the component and looks at what it imports; nothing of it runs yet. No network. It
    /// blocks the thread: milliseconds for a small plugin, seconds for one with a JavaScript or Python
    /// engine in it. Errors are of kind `configuration`, or of a reference that is none.
    pub fn open(self) -> Result<Plugin, Error> {
        let mut policy = Policy::default();
        for reference in self.grants {
            policy
                .secrets
                .push(Reference::of(block_on(self.vaultlet.resolved(Subject::Secret(reference)))?));
        }
        for vault in self.lists {
            policy.vaults.push(block_on(self.vaultlet.resolved(Subject::Vault(vault)))?.reference);
        }
        let Self { vaultlet, wasm, name, memory, timeout, concurrency, on_output, .. } = self;
        let name = name.unwrap_or_else(|| fingerprint(&wasm));
        let memory = memory.min(limits::PLUGIN_MEMORY_MAX);
        let code = Compiled::new(&wasm)?;
        let terms = Terms { vaultlet, code, name, policy, memory, timeout, concurrency, on_output };
        let home = PerProcess::new(|| Running::open(Arc::new(terms)))?;
        Ok(Plugin { home: Arc::new(home), timeout: None, cancel: None })
    }
}

/// Enough of it to tell plugins apart.
fn fingerprint(wasm: &[u8]) -> String {
    Sha256::digest(wasm).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
