//! Conversion of errors to exceptions. Their classes are Python (`vaultlet._errors`), as a native class
//! of the stable ABI cannot derive from a class of the interpreter.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use vaultlet_host::{Attempt, Error, Kind};

/// Converts an error of the host. The exception's class follows from the error's kind.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    from_host(py, error).unwrap_or_else(|failed| failed)
}

/// An error of the caller: arguments contradict each other, or the handle is closed.
pub(crate) fn usage(py: Python<'_>, message: &str, help: &str) -> PyErr {
    from_binding(py, Kind::Usage, "usage", message, help)
}

/// An error of the caller: an argument is malformed.
pub(crate) fn malformed(py: Python<'_>, message: &str, help: &str) -> PyErr {
    from_binding(py, Kind::InvalidArgument, "argument-malformed", message, help)
}

/// A defect of this package, or a failure of the operating system.
pub(crate) fn internal(py: Python<'_>, message: &str) -> PyErr {
    from_binding(py, Kind::Internal, "internal", message, "report this with the message")
}

fn from_binding(py: Python<'_>, kind: Kind, id: &str, message: &str, help: &str) -> PyErr {
    let made = || {
        let members = PyDict::new(py);
        members.set_item("kind", kind.as_str())?;
        members.set_item("id", id)?;
        members.set_item("message", message)?;
        members.set_item("help", help)?;
        new_exception(py, &format!("{message}; {help} ({id})"), &members)
    };
    made().unwrap_or_else(|failed| failed)
}

fn from_host(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
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
    let variables =
        error.variables.iter().map(|it| (&it.name, &it.id, it.kind.as_str(), &it.message));
    members.set_item("variables", PyTuple::new(py, variables.collect::<Vec<_>>())?)?;
    new_exception(py, &error.to_string(), &members)
}

fn new_exception(py: Python<'_>, line: &str, members: &Bound<'_, PyDict>) -> PyResult<PyErr> {
    let make = py.import("vaultlet._errors")?.getattr("_exception")?;
    Ok(PyErr::from_value(make.call1((line, members))?))
}
