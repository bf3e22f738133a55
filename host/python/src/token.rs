//! An access token in Python's hands.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use vaultlet_host as host;

use crate::{answer, secret, time};

/// An access token. `str()`, `repr()` and everything that prints objects show what it is for; the
/// token comes from `reveal()`. Scrubbed from memory when it is collected.
#[pyclass(module = "vaultlet", frozen, weakref)]
pub(crate) struct Token(pub(crate) host::Token);

#[pymethods]
impl Token {
    /// The token itself, what goes after `Bearer`.
    fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// Whose it is, by what it says of itself, as a record.
    #[getter]
    fn holder<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        answer::identity(py, &self.0)
    }

    /// Not accepted after.
    #[getter]
    fn expires_on<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        time::of_system(py, self.0.expires_on())
    }

    /// A new one is fetched from then on.
    #[getter]
    fn refresh_on<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        time::of_system(py, self.0.refresh_on())
    }

    /// The resource that it is for.
    #[getter]
    fn resource(&self) -> &str {
        self.0.resource()
    }

    /// The source that gave it: `managed-identity`.
    #[getter]
    fn source(&self) -> &str {
        self.0.source()
    }

    /// Which form of the source: `azure-ml`.
    #[getter]
    fn endpoint(&self) -> Option<&str> {
        self.0.endpoint()
    }

    /// The client id that was asked for, when one was.
    #[getter]
    fn client_id(&self) -> Option<&str> {
        self.0.client_id()
    }

    fn __repr__(&self) -> String {
        format!("Token({:?} by {:?})", self.0.resource(), self.0.source())
    }

    fn __format__(&self, _spec: &str) -> PyResult<String> {
        Err(secret::formatted("Token"))
    }

    fn __reduce_ex__(&self, _protocol: i32) -> PyResult<()> {
        Err(secret::kept("Token"))
    }

    fn __copy__(&self) -> PyResult<()> {
        Err(secret::kept("Token"))
    }

    #[pyo3(signature = (*_memo))]
    fn __deepcopy__(&self, _memo: &Bound<'_, PyTuple>) -> PyResult<()> {
        Err(secret::kept("Token"))
    }
}
