//! Looks up the functions that the component exports.

use wasmtime::component::{Component, ComponentExportIndex};
use wasmtime::{Result, format_err};

/// A function of an interface of `wit/`.
pub(super) fn function(
    component: &Component,
    interface: &str,
    name: &str,
) -> Result<ComponentExportIndex> {
    let interface = format!("vaultlet:keyvault/{interface}@0.1.0");
    let missing = || format_err!("the component has no `{name}` in `{interface}`");
    let index = component.get_export_index(None, &interface).ok_or_else(missing)?;
    component.get_export_index(Some(&index), name).ok_or_else(missing)
}
