//! Options of a handle: the keywords of `Vaultlet`.

use std::path::PathBuf;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use vaultlet_host::{self as host, Builder};

use crate::call_options;
use crate::delivery::Callbacks;

/// A builder with these options. An option that is `None` is not set.
pub(crate) fn builder(py: Python<'_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Builder> {
    let mut builder = host::Vaultlet::builder();
    let Some(options) = options else { return Ok(builder) };
    for (name, value) in options {
        if !value.is_none() {
            let name: String = name.extract()?;
            builder = set_option(py, builder, &name, &value)?;
        }
    }
    Ok(builder)
}

fn set_option(
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
        "timeout" => builder.timeout(call_options::timeout(value)?),
        "ca_file" => one_or_several::<PathBuf>(value)?.into_iter().fold(builder, Builder::ca_file),
        "resolve" => texts(value)?.into_iter().fold(builder, Builder::resolve),
        "allow_http_loopback" => builder.allow_http_loopback(value.extract()?),
        "allow_http_identity" => builder.allow_http_identity(texts(value)?.join(",")),
        "policy" => builder.policy(value.extract::<PathBuf>()?),
        "agent" => builder.agent(value.extract::<String>()?),
        "agent_token_file" => {
            builder.agent_token_file(value.extract::<PathBuf>()?.to_string_lossy())
        }
        "agent_fallback" => builder.agent_fallback(value.extract::<String>()?),
        "variables" => builder.variables(variables(value)?),
        "on_prompt" => on_prompt(py, builder, value.clone().unbind())?,
        other => {
            let message = format!("Vaultlet() got an unexpected keyword argument '{other}'");
            return Err(PyTypeError::new_err(message));
        }
    })
}

/// One text or several.
pub(crate) fn texts(value: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    one_or_several(value)
}

fn one_or_several<'py, T>(value: &Bound<'py, PyAny>) -> PyResult<Vec<T>>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    if let Ok(one) = value.extract::<T>() {
        return Ok(vec![one]);
    }
    value.try_iter()?.map(|one| one?.extract()).collect()
}

/// The items of a mapping, such as `os.environ`.
pub(crate) fn variables(value: &Bound<'_, PyAny>) -> PyResult<Vec<(String, String)>> {
    let items = value.call_method0("items")?;
    items.try_iter()?.map(|item| item?.extract()).collect()
}

fn on_prompt(py: Python<'_>, builder: Builder, callback: Py<PyAny>) -> PyResult<Builder> {
    if !callback.bind(py).is_callable() {
        return Err(PyTypeError::new_err("on_prompt must be callable with one line of text"));
    }
    let callback = std::sync::Arc::new(callback);
    // The queue belongs to the process that opens the handle: a forked child calls nobody back.
    let callbacks = Callbacks::of_process(py)?;
    Ok(builder.on_prompt(move |line| {
        let (callback, line) = (std::sync::Arc::clone(&callback), line.to_owned());
        callbacks.post(move |py| {
            if let Err(failed) = callback.call1(py, (line,)) {
                failed.write_unraisable(py, Some(callback.bind(py)));
            }
        });
    }))
}
