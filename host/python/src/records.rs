//! Records of the Python module `vaultlet._records`, made from those of the host.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use vaultlet_host::{Plan, Properties, Server, Token};

use crate::time::{from_system, from_unix};

/// Makes a record of `vaultlet._records`, which is imported on first use.
fn record<'py>(
    py: Python<'py>,
    name: &str,
    members: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    py.import("vaultlet._records")?.getattr(name)?.call((), Some(members))
}

pub(crate) fn properties<'py>(
    py: Python<'py>,
    properties: &Properties,
) -> PyResult<Bound<'py, PyAny>> {
    let members = PyDict::new(py);
    members.set_item("vault", &properties.vault)?;
    members.set_item("name", &properties.name)?;
    members.set_item("version", &properties.version)?;
    members.set_item("content_type", &properties.content_type)?;
    members.set_item("enabled", properties.enabled)?;
    members.set_item("created_on", from_unix(py, properties.created)?)?;
    members.set_item("updated_on", from_unix(py, properties.updated)?)?;
    members.set_item("not_before", from_unix(py, properties.not_before)?)?;
    members.set_item("expires_on", from_unix(py, properties.expires)?)?;
    members.set_item("recovery_level", &properties.recovery_level)?;
    members.set_item("recoverable_days", properties.recoverable_days)?;
    members.set_item("managed", properties.managed)?;
    members.set_item("key_id", &properties.kid)?;
    members.set_item("tags", tags(py, properties)?)?;
    record(py, "Properties", &members)
}

pub(crate) fn tags<'py>(py: Python<'py>, properties: &Properties) -> PyResult<Bound<'py, PyDict>> {
    let tags = PyDict::new(py);
    for (name, value) in &properties.tags {
        tags.set_item(name, value)?;
    }
    Ok(tags)
}

pub(crate) fn identity<'py>(py: Python<'py>, token: &Token) -> PyResult<Bound<'py, PyAny>> {
    let (members, holder) = (PyDict::new(py), token.holder());
    members.set_item("source", token.source())?;
    members.set_item("endpoint", token.endpoint())?;
    members.set_item("resource", token.resource())?;
    members.set_item("client_id", token.client_id())?;
    members.set_item("tenant", &holder.tenant)?;
    members.set_item("object_id", &holder.object_id)?;
    members.set_item("app_id", &holder.app_id)?;
    members.set_item("upn", &holder.upn)?;
    members.set_item("audience", &holder.audience)?;
    members.set_item("expires_on", from_system(py, token.expires_on())?)?;
    members.set_item("refresh_on", from_system(py, token.refresh_on())?)?;
    members.set_item("notes", &holder.notes)?;
    record(py, "Identity", &members)
}

pub(crate) fn plan(py: Python<'_>, plan: Plan) -> PyResult<Bound<'_, PyAny>> {
    let members = PyDict::new(py);
    let vault = plan.vault.map(|vault| server(py, vault)).transpose()?;
    let servers = plan.servers.into_iter().map(|one| server(py, one));
    members.set_item("agent", plan.agent)?;
    members.set_item("vault", vault)?;
    members.set_item("variables", plan.variables)?;
    members.set_item("secrets", plan.secrets)?;
    members.set_item("servers", servers.collect::<PyResult<Vec<_>>>()?)?;
    members.set_item("files", plan.files)?;
    members.set_item("keys", plan.keys)?;
    members.set_item("programs", plan.programs)?;
    record(py, "Plan", &members)
}

fn server(py: Python<'_>, server: Server) -> PyResult<Bound<'_, PyAny>> {
    let members = PyDict::new(py);
    members.set_item("host", server.host)?;
    members.set_item("port", server.port)?;
    members.set_item("tls", server.tls)?;
    members.set_item("purpose", server.purpose)?;
    record(py, "Server", &members)
}
