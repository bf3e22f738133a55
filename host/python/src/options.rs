//! How a handle is opened: the keywords of `Vaultlet`.

use std::path::PathBuf;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use vaultlet_host::{self as host, Builder};

use crate::call;
use crate::deliver::Mailbox;

/// A builder with these keywords; `None` is as if it were not given.
pub(crate) fn builder(py: Python<'_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Builder> {
    let mut builder = host::Vaultlet::builder();
    let Some(options) = options else { return Ok(builder) };
    for (name, value) in options {
        if !value.is_none() {
            let name: String = name.extract()?;
            builder = set(py, builder, &name, &value)?;
        }
    }
    Ok(builder)
}

fn set(
    py: Python<'_>,
    builder: Builder,
    name: &str,
    value: &Bound<'_, PyAny>,
) -> PyResult<Builder> {
    Ok(match name {
        "identity" => builder.identity(texts(value)?.join(",")),
        "exclude" => builder.exclude(texts(value)?.join(",")),
        "client_id" => builder.client_id(value.extract::<String>()?),
        "object_id" => builder.object_id(value.extract::<String>()?),
        "resource_id" => builder.resource_id(value.extract::<String>()?),
        "additional_tenants" => builder.additional_tenants(texts(value)?.join(";")),
        "user_assertion" => builder.user_assertion(value.extract::<String>()?),
        "user_assertion_file" => {
            builder.user_assertion_file(value.extract::<PathBuf>()?.to_string_lossy())
        }
        "cloud" => builder.cloud(value.extract::<String>()?),
        "concurrency" => builder.concurrency(value.extract()?),
        "timeout" => builder.timeout(call::timeout(value)?),
        "ca_file" => each::<PathBuf>(value)?.into_iter().fold(builder, Builder::ca_file),
        "resolve" => texts(value)?.into_iter().fold(builder, Builder::resolve),
        "allow_http_loopback" => builder.allow_http_loopback(value.extract()?),
        "variables" => builder.variables(variables(value)?),
        "on_prompt" => on_prompt(py, builder, value.clone().unbind())?,
        other => {
            let message = format!("Vaultlet() got an unexpected keyword argument '{other}'");
            return Err(PyTypeError::new_err(message));
        }
    })
}

/// One text, or several.
fn texts(value: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    each(value)
}

fn each<'py, T>(value: &Bound<'py, PyAny>) -> PyResult<Vec<T>>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    if let Ok(one) = value.extract::<T>() {
        return Ok(vec![one]);
    }
    value.try_iter()?.map(|one| one?.extract()).collect()
}

/// The items of a mapping, of `os.environ`, too.
fn variables(value: &Bound<'_, PyAny>) -> PyResult<Vec<(String, String)>> {
    let items = value.call_method0("items")?;
    items.try_iter()?.map(|item| item?.extract()).collect()
}

fn on_prompt(py: Python<'_>, builder: Builder, tell: Py<PyAny>) -> PyResult<Builder> {
    if !tell.bind(py).is_callable() {
        return Err(PyTypeError::new_err("on_prompt must be callable with one line of text"));
    }
    let tell = std::sync::Arc::new(tell);
    // Its thread is of the process that opens the handle: a child of it has nobody to tell.
    let mailbox = Mailbox::here(py)?;
    Ok(builder.on_prompt(move |line| {
        let (tell, line) = (std::sync::Arc::clone(&tell), line.to_owned());
        mailbox.leave(move |py| {
            if let Err(failed) = tell.call1(py, (line,)) {
                failed.write_unraisable(py, Some(tell.bind(py)));
            }
        });
    }))
}
