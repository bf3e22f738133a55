//! The Python class `Secret`: it shows where the secret came from, and its value only by `reveal()`.

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyString, PyTuple};
use vaultlet_host::{self as host, Properties};

use crate::{records, time};

/// One version of one secret, with its value. `repr()` and what prints objects by it show the secret's
/// reference; only `reveal()` shows the value. `str()`, formatting and comparing with text are refused,
/// because the value is meant there. The value is scrubbed from memory when the object is collected; a `str` that `reveal()` returned is not.
#[pyclass(module = "vaultlet", frozen, weakref)]
pub(crate) struct Secret(pub(crate) host::Secret);

#[pymethods]
impl Secret {
    /// The secret's value.
    fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// The value in UTF-8, in a `bytearray`, which can be overwritten after use.
    fn reveal_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyByteArray> {
        PyByteArray::new(py, self.0.reveal().as_bytes())
    }

    /// Everything except the value, as a record.
    #[getter]
    fn properties<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        records::properties(py, self.host_properties())
    }

    /// `akv://VAULT/NAME/VERSION`.
    #[getter]
    fn reference(&self) -> String {
        let Properties { vault, name, version, .. } = self.host_properties();
        match version {
            Some(version) => format!("akv://{vault}/{name}/{version}"),
            None => format!("akv://{vault}/{name}"),
        }
    }

    /// The vault's host, with its port if it is not 443.
    #[getter]
    fn vault(&self) -> &str {
        &self.host_properties().vault
    }

    /// The secret's name.
    #[getter]
    fn name(&self) -> &str {
        &self.host_properties().name
    }

    /// The version, 32 hexadecimal digits.
    #[getter]
    fn version(&self) -> Option<&str> {
        self.host_properties().version.as_deref()
    }

    /// The content type that the secret's author set.
    #[getter]
    fn content_type(&self) -> Option<&str> {
        self.host_properties().content_type.as_deref()
    }

    /// Whether the secret may be read.
    #[getter]
    fn enabled(&self) -> Option<bool> {
        self.host_properties().enabled
    }

    /// When this version was created.
    #[getter]
    fn created_on<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time::from_unix(py, self.host_properties().created)
    }

    /// When this version was last changed.
    #[getter]
    fn updated_on<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time::from_unix(py, self.host_properties().updated)
    }

    /// The secret is not meant to be used before this time; not enforced.
    #[getter]
    fn not_before<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time::from_unix(py, self.host_properties().not_before)
    }

    /// The secret is not meant to be used after this time; not enforced.
    #[getter]
    fn expires_on<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time::from_unix(py, self.host_properties().expires)
    }

    /// What deleting the secret would mean: `Recoverable+Purgeable`.
    #[getter]
    fn recovery_level(&self) -> Option<&str> {
        self.host_properties().recovery_level.as_deref()
    }

    /// The number of days for which a deleted secret can be recovered.
    #[getter]
    fn recoverable_days(&self) -> Option<u32> {
        self.host_properties().recoverable_days
    }

    /// True when the secret belongs to a certificate.
    #[getter]
    fn managed(&self) -> Option<bool> {
        self.host_properties().managed
    }

    /// The key of the certificate that the secret belongs to.
    #[getter]
    fn key_id(&self) -> Option<&str> {
        self.host_properties().kid.as_deref()
    }

    /// The secret's tags.
    #[getter]
    fn tags<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        records::tags(py, self.host_properties())
    }

    fn __repr__(&self) -> String {
        format!("Secret('{}')", self.reference())
    }

    fn __str__(&self) -> PyResult<String> {
        Err(format_refused("Secret"))
    }

    fn __format__(&self, _spec: &str) -> PyResult<String> {
        Err(format_refused("Secret"))
    }

    fn __richcmp__(
        slf: &Bound<'_, Self>,
        other: &Bound<'_, PyAny>,
        op: CompareOp,
    ) -> PyResult<Py<PyAny>> {
        compared("Secret", slf, other, op)
    }

    fn __hash__(slf: &Bound<'_, Self>) -> isize {
        hash(slf)
    }

    fn __getattr__(&self, name: &str) -> PyResult<()> {
        Err(no_attribute("Secret", name))
    }

    fn __reduce_ex__(&self, _protocol: i32) -> PyResult<()> {
        Err(copy_refused("Secret"))
    }

    fn __copy__(&self) -> PyResult<()> {
        Err(copy_refused("Secret"))
    }

    #[pyo3(signature = (*_memo))]
    fn __deepcopy__(&self, _memo: &Bound<'_, PyTuple>) -> PyResult<()> {
        Err(copy_refused("Secret"))
    }
}

impl Secret {
    fn host_properties(&self) -> &Properties {
        self.0.properties()
    }
}

/// The exception for formatting a secret, which would put its reference where its value is meant.
pub(crate) fn format_refused(what: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "a {what} is not formatted: write `.reveal()` where its value is meant, or `!r` for what it is"
    ))
}

/// Compares by identity. Comparing with text would always be false where the value is meant.
pub(crate) fn compared(
    what: &str,
    one: &Bound<'_, PyAny>,
    other: &Bound<'_, PyAny>,
    op: CompareOp,
) -> PyResult<Py<PyAny>> {
    let py = one.py();
    let is_text = other.is_instance_of::<PyString>()
        || other.is_instance_of::<PyBytes>()
        || other.is_instance_of::<PyByteArray>();
    let is_equal = match op {
        CompareOp::Eq | CompareOp::Ne if is_text => {
            return Err(PyTypeError::new_err(format!(
                "a {what} is not compared with text: write `.reveal()` where its value is meant"
            )));
        }
        CompareOp::Eq => one.is(other),
        CompareOp::Ne => !one.is(other),
        _ => return Ok(py.NotImplemented()),
    };
    Ok(is_equal.into_pyobject(py)?.to_owned().into_any().unbind())
}

/// The hash of an object that is compared by identity.
pub(crate) fn hash(object: &Bound<'_, PyAny>) -> isize {
    // The lowest bits of an address are zero.
    (object.as_ptr() as isize) >> 4
}

/// The exception for an attribute that is not there, with a hint for what other libraries call the value.
pub(crate) fn no_attribute(what: &str, name: &str) -> PyErr {
    let is_value =
        ["value", "get_secret_value", "secret", "secret_value", "token", "plaintext", "text"];
    let hint = if is_value.contains(&name) { "; its value is `.reveal()`" } else { "" };
    PyAttributeError::new_err(format!("a {what} has no attribute `{name}`{hint}"))
}

/// The exception for copying a secret: a copy would have to be scrubbed, too, and a pickle would leave
/// the process.
pub(crate) fn copy_refused(what: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "a {what} is neither copied nor pickled: pass its reference on and get it there"
    ))
}
