//! The native half of the Python package `vaultlet`, which documents it: README.md beside this and
//! the type stubs in `python/vaultlet`.
//!
//! No thread of the engine ever waits for the interpreter: blocking calls wait detached from it, and
//! what is called back is called by a thread of its own (`deliver`).

mod answer;
mod ask;
mod call;
mod deliver;
mod error;
mod handle;
mod options;
mod secret;
mod time;
mod token;
mod wait;

#[pyo3::pymodule(gil_used = true)]
mod _vaultlet {
    #[pymodule_export]
    use crate::call::{Cancel, Started};
    #[pymodule_export]
    use crate::handle::{Vaultlet, default_handle as _default};
    #[pymodule_export]
    use crate::secret::Secret;
    #[pymodule_export]
    use crate::token::Token;

    /// The version of the package.
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name of it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
