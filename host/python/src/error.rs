//! Errors as Python's exceptions, whose classes are Python (`vaultlet._errors`): a native class of
//! the stable ABI cannot derive from one of the interpreter's.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use vaultlet_host::{Attempt, Error, Kind};

/// The exception of this error; the class is by its kind.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    made(py, error).unwrap_or_else(|failed| failed)
}

/// That the program uses this package in a way that it has not.
pub(crate) fn usage(py: Python<'_>, message: &str, help: &str) -> PyErr {
    own(py, Kind::Usage, "usage", message, help)
}

/// That an argument has not the form that it must have.
pub(crate) fn malformed(py: Python<'_>, message: &str, help: &str) -> PyErr {
    own(py, Kind::InvalidArgument, "argument-malformed", message, help)
}

/// A defect of ours, or of the system's.
pub(crate) fn internal(py: Python<'_>, message: &str) -> PyErr {
    own(py, Kind::Internal, "internal", message, "report this with the message")
}

fn own(py: Python<'_>, kind: Kind, id: &str, message: &str, help: &str) -> PyErr {
    let made = || {
        let members = PyDict::new(py);
        members.set_item("kind", kind.as_str())?;
        members.set_item("id", id)?;
        members.set_item("message", message)?;
        members.set_item("help", help)?;
        of(py, &format!("{message}; {help} ({id})"), &members)
    };
    made().unwrap_or_else(|failed| failed)
}

fn made(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let members = PyDict::new(py);
    members.set_item("kind", error.kind.as_str())?;
    members.set_item("id", &error.id)?;
    members.set_item("message", &error.message)?;
    members.set_item("help", &error.help)?;
    members.set_item("status", error.status)?;
    members.set_item("code", &error.code)?;
    members.set_item("request_id", &error.request_id)?;
    members.set_item("retry_after", error.retry_after.map(|after| after.as_secs_f64()))?;
    let attempts = error.attempts.iter().map(|attempt| {
        let Attempt { source, endpoint, outcome, message } = attempt;
        (source, endpoint, outcome.as_str(), message)
    });
    members.set_item("attempts", PyTuple::new(py, attempts.collect::<Vec<_>>())?)?;
    of(py, &error.to_string(), &members)
}

fn of(py: Python<'_>, line: &str, members: &Bound<'_, PyDict>) -> PyResult<PyErr> {
    let make = py.import("vaultlet._errors")?.getattr("_of")?;
    Ok(PyErr::from_value(make.call1((line, members))?))
}
