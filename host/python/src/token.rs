//! The Python class `Token`: an access token, which it shows only by `reveal()`.

use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::types::PyTuple;
use vaultlet_host as host;

use crate::{records, secret, time};

/// An access token. `repr()` and what prints objects by it show what the token is for; only `reveal()`
/// shows the token, which is scrubbed from memory when the object is collected. `str()`, formatting and
/// comparing with text are refused, because the token is meant there.
#[pyclass(module = "vaultlet", frozen, weakref)]
pub(crate) struct Token(pub(crate) host::Token);

#[pymethods]
impl Token {
    /// The token itself, which goes after `Bearer` in an `Authorization` header.
    fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// The identity that the token belongs to, as the token says.
    #[getter]
    fn holder<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        records::identity(py, &self.0)
    }

    /// When the token expires.
    #[getter]
    fn expires_on<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        time::from_system(py, self.0.expires_on())
    }

    /// When a new token is fetched. This one still works until it expires.
    #[getter]
    fn refresh_on<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        time::from_system(py, self.0.refresh_on())
    }

    /// The resource that the token is for.
    #[getter]
    fn resource(&self) -> &str {
        self.0.resource()
    }

    /// The source that the token came from: `managed-identity`.
    #[getter]
    fn source(&self) -> &str {
        self.0.source()
    }

    /// The form of the source, where it has several: `azure-ml`.
    #[getter]
    fn endpoint(&self) -> Option<&str> {
        self.0.endpoint()
    }

    /// The client id of the identity that was asked for, if one was named.
    #[getter]
    fn client_id(&self) -> Option<&str> {
        self.0.client_id()
    }

    fn __repr__(&self) -> String {
        format!("Token({:?} by {:?})", self.0.resource(), self.0.source())
    }

    fn __str__(&self) -> PyResult<String> {
        Err(secret::format_refused("Token"))
    }

    fn __richcmp__(
        slf: &Bound<'_, Self>,
        other: &Bound<'_, PyAny>,
        op: CompareOp,
    ) -> PyResult<Py<PyAny>> {
        secret::compared("Token", slf, other, op)
    }

    fn __hash__(slf: &Bound<'_, Self>) -> isize {
        secret::hash(slf)
    }

    fn __getattr__(&self, name: &str) -> PyResult<()> {
        Err(secret::no_attribute("Token", name))
    }

    fn __format__(&self, _spec: &str) -> PyResult<String> {
        Err(secret::format_refused("Token"))
    }

    fn __reduce_ex__(&self, _protocol: i32) -> PyResult<()> {
        Err(secret::copy_refused("Token"))
    }

    fn __copy__(&self) -> PyResult<()> {
        Err(secret::copy_refused("Token"))
    }

    #[pyo3(signature = (*_memo))]
    fn __deepcopy__(&self, _memo: &Bound<'_, PyTuple>) -> PyResult<()> {
        Err(secret::copy_refused("Token"))
    }
}
