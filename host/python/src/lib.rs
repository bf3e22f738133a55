//! The native module of the Python package `vaultlet`. Its documentation for users is the package's
//! `README.md` and the type stub `python/vaultlet/_vaultlet.pyi`.
//!
//! No thread of the host ever waits for the interpreter. A blocking call runs on its caller's thread,
//! detached from the interpreter. The results of other calls, and prompts, come on a thread for them
//! (`delivery`).

mod blocking;
mod call_options;
mod delivery;
mod error;
mod handle;
mod operation;
mod options;
mod output;
mod records;
mod secret;
mod time;
mod token;

#[pyo3::pymodule(gil_used = true)]
mod _vaultlet {
    #[pymodule_export]
    use crate::call_options::{Cancel, Started};
    #[pymodule_export]
    use crate::handle::{Vaultlet, default_handle as _default};
    #[pymodule_export]
    use crate::secret::Secret;
    #[pymodule_export]
    use crate::token::Token;

    /// The version of the package.
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "the name that Python programs expect")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
