//! The error of a call whose instance trapped.

use crate::error::Error;
use crate::grant::Role;

/// The error for the caller; the log has the details.
pub(super) fn trapped(role: Role, trap: &wasmtime::Error) -> Error {
    log_trap(role, trap);
    Error::internal(format!("running the component: {}", trap.root_cause()))
}

/// Logs a trap, which is always a defect of the component.
pub(super) fn log_trap(role: Role, trap: &wasmtime::Error) {
    tracing::error!(target: "vaultlet", "the component trapped in the {role} role: {trap:#}");
}
