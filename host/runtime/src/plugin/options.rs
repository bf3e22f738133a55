//! The options that a plugin was opened with.

use std::time::Duration;

use crate::handle::Vaultlet;
use crate::settings::OnLine;

use super::grants::Grants;

/// What the message of every error of a call begins with.
pub(super) const CALLING: &str = "calling a plugin";

/// A plugin's code, what it may read, and how much it may use.
pub(super) struct PluginOptions {
    /// The handle that gets the secrets.
    pub(super) vaultlet: Vaultlet,
    pub(super) code: CompiledCode,
    /// The plugin's name in the log.
    pub(super) name: String,
    pub(super) grants: Grants,
    /// Bytes that the memories of one call may have together.
    pub(super) memory: usize,
    /// The time that one call may take.
    pub(super) timeout: Duration,
    /// How many calls run at once.
    pub(super) concurrency: usize,
    /// The listener for standard output and error.
    pub(super) on_output: Option<OnLine>,
}

/// Machine code that wasmtime compiled in this process or its parent. wasmtime trusts such code
/// completely, so that it must come from nowhere else.
pub(super) struct CompiledCode(pub(super) Vec<u8>);
