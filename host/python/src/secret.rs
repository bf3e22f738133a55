//! A secret in Python's hands: it shows where it came from, and its value only when asked to.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyDict, PyTuple};
use vaultlet_host::{self as host, Properties};

use crate::{answer, time};

/// One version of one secret with its value. `str()`, `repr()` and everything that prints objects
/// show its reference; the value comes from `reveal()`. Scrubbed from memory when it is collected;
/// what `reveal()` returned is not.
#[pyclass(module = "vaultlet", frozen, weakref)]
pub(crate) struct Secret(pub(crate) host::Secret);

#[pymethods]
impl Secret {
    /// The value.
    fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// The value's bytes, UTF-8, in a `bytearray`, which can be overwritten after use.
    fn reveal_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyByteArray> {
        PyByteArray::new(py, self.0.reveal().as_bytes())
    }

    /// All but the value, as a record.
    #[getter]
    fn properties<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        answer::properties(py, self.known())
    }

    /// `akv://VAULT/NAME/VERSION`.
    #[getter]
    fn reference(&self) -> String {
        let Properties { vault, name, version, .. } = self.known();
        match version {
            Some(version) => format!("akv://{vault}/{name}/{version}"),
            None => format!("akv://{vault}/{name}"),
        }
    }

    /// The vault's host, with its port if it is not 443.
    #[getter]
    fn vault(&self) -> &str {
        &self.known().vault
    }

    /// The secret's name.
    #[getter]
    fn name(&self) -> &str {
        &self.known().name
    }

    /// The version, 32 hexadecimal digits.
    #[getter]
    fn version(&self) -> Option<&str> {
        self.known().version.as_deref()
    }

    /// The content type that its author gave it.
    #[getter]
    fn content_type(&self) -> Option<&str> {
        self.known().content_type.as_deref()
    }

    /// Whether it may be read.
    #[getter]
    fn enabled(&self) -> Option<bool> {
        self.known().enabled
    }

    /// When this version was made.
    #[getter]
    fn created_on<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time::of_seconds(py, self.known().created)
    }

    /// When it was last changed.
    #[getter]
    fn updated_on<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time::of_seconds(py, self.known().updated)
    }

    /// Not meant to be used before; not enforced.
    #[getter]
    fn not_before<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time::of_seconds(py, self.known().not_before)
    }

    /// Not meant to be used after; not enforced.
    #[getter]
    fn expires_on<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time::of_seconds(py, self.known().expires)
    }

    /// What deleting it would mean.
    #[getter]
    fn recovery_level(&self) -> Option<&str> {
        self.known().recovery_level.as_deref()
    }

    /// Days for which a deleted one can be recovered.
    #[getter]
    fn recoverable_days(&self) -> Option<u32> {
        self.known().recoverable_days
    }

    /// True when it belongs to a certificate.
    #[getter]
    fn managed(&self) -> Option<bool> {
        self.known().managed
    }

    /// The key of that certificate.
    #[getter]
    fn key_id(&self) -> Option<&str> {
        self.known().kid.as_deref()
    }

    /// Its tags.
    #[getter]
    fn tags<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        answer::tags(py, self.known())
    }

    fn __repr__(&self) -> String {
        format!("Secret('{}')", self.reference())
    }

    fn __format__(&self, _spec: &str) -> PyResult<String> {
        Err(formatted("Secret"))
    }

    fn __reduce_ex__(&self, _protocol: i32) -> PyResult<()> {
        Err(kept("Secret"))
    }

    fn __copy__(&self) -> PyResult<()> {
        Err(kept("Secret"))
    }

    #[pyo3(signature = (*_memo))]
    fn __deepcopy__(&self, _memo: &Bound<'_, PyTuple>) -> PyResult<()> {
        Err(kept("Secret"))
    }
}

impl Secret {
    fn known(&self) -> &Properties {
        self.0.properties()
    }
}

/// A secret that became part of a text by accident would be a reference where a value is meant.
pub(crate) fn formatted(what: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "a {what} is not formatted: write `.reveal()` where its value is meant, or `!r` for what it is"
    ))
}

/// A copy would be one more to scrub, and a pickle would leave the process.
pub(crate) fn kept(what: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "a {what} is neither copied nor pickled: pass its reference on and get it there"
    ))
}
