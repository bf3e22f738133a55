//! Options of a single call, and objects that cancel calls.

use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use vaultlet_host::{self as host, UserAssigned, Vaultlet};

use crate::error;

/// The longest timeout of a call, in seconds: a day, as for a handle.
const TIMEOUT_MAX: f64 = 86_400.0;

/// Applies the options of a call to a handle: `timeout`, `cancel`, and at most one of `client_id`,
/// `object_id` and `resource_id`.
pub(crate) fn apply(
    vaultlet: Vaultlet,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Vaultlet> {
    let Some(keywords) = keywords else { return Ok(vaultlet) };
    let (mut vaultlet, mut identity) = (vaultlet, None);
    for (name, value) in keywords {
        if value.is_none() {
            continue;
        }
        let name: String = name.extract()?;
        let user_assigned = match name.as_str() {
            "timeout" => {
                vaultlet = vaultlet.with_timeout(timeout(&value)?);
                continue;
            }
            "cancel" => {
                vaultlet = vaultlet.with_cancel(&value.cast::<Cancel>()?.get().0);
                continue;
            }
            "client_id" => UserAssigned::ClientId,
            "object_id" => UserAssigned::ObjectId,
            "resource_id" => UserAssigned::ResourceId,
            other => {
                let message = format!("got an unexpected keyword argument '{other}'");
                return Err(PyTypeError::new_err(message));
            }
        };
        if identity.replace(user_assigned(value.extract()?)).is_some() {
            let message = "choosing an identity: it is named in two ways";
            let help = "give one of `client_id`, `object_id` and `resource_id`";
            return Err(error::usage(keywords.py(), message, help));
        }
    }
    Ok(match identity {
        Some(identity) => vaultlet.with_identity(identity),
        None => vaultlet,
    })
}

/// A timeout from a number of seconds.
pub(crate) fn timeout(seconds: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let number: f64 = seconds.extract()?;
    if number > 0.0 && number <= TIMEOUT_MAX {
        return Ok(Duration::from_secs_f64(number));
    }
    let message = format!("reading `timeout`: {number} is not a time that a call can take");
    let help = "give seconds, more than 0 and at most a day";
    Err(error::malformed(seconds.py(), &message, help))
}

/// Cancels calls from another thread: every call that is made with `cancel=`, now and later.
#[pyclass(module = "vaultlet", frozen)]
pub(crate) struct Cancel(pub(crate) host::Cancel);

#[pymethods]
impl Cancel {
    #[new]
    fn new() -> Self {
        Self(host::Cancel::new())
    }

    /// Cancel the calls; each raises `CancelledError`.
    fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether `cancel()` was called.
    #[getter]
    fn cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    fn __repr__(&self) -> &'static str {
        if self.0.is_cancelled() { "Cancel(cancelled)" } else { "Cancel()" }
    }
}

/// A call that was started and that no thread waits for.
#[pyclass(module = "vaultlet._vaultlet", frozen)]
pub(crate) struct Started(pub(crate) host::Cancel);

#[pymethods]
impl Started {
    /// Cancel the call.
    fn cancel(&self) {
        self.0.cancel();
    }
}
