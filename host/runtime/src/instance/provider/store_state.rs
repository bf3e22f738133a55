//! Per-instance store state of a component of the world `provider`: what WASI shows of the grant of
//! the instance's role, and nothing else of this machine.

use std::sync::Arc;

use wasmtime::StoreLimits;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::p2::pipe::ClosedOutputStream;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::call::Call;
use crate::error::Cause;
use crate::grant::Grant;
use crate::instance::store_state::store_limits;
use crate::internal::LineStream;

use super::egress::Egress;
use super::files::{FilesView, FilesViewData};

/// The data of one instance's store.
pub(super) struct WasiState {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    egress: Egress,
    pub(super) limits: StoreLimits,
}

impl WasiState {
    pub(super) fn new(grant: Arc<Grant>) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.envs(&grant.variables);
        // Where nobody listens the stream is closed, so that the guest knows.
        match &grant.on_prompt {
            Some(on_line) => wasi.stderr(LineStream(Arc::clone(on_line))),
            None => wasi.stderr(ClosedOutputStream),
        };
        Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            egress: Egress::new(grant),
            limits: store_limits(),
        }
    }

    /// Says which call runs in the instance from now on, if any.
    pub(super) fn set_call(&mut self, call: Option<&Arc<Call>>) {
        self.egress.call = call.map(Arc::clone);
    }

    pub(super) fn take_failure(&self) -> Option<Cause> {
        self.egress.take_failure()
    }
}

impl WasiView for WasiState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for WasiState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.egress, table: &mut self.table, ctx: &mut self.http }
    }
}

impl FilesView for WasiState {
    fn files(&mut self) -> FilesViewData<'_> {
        let Egress { grant, call, .. } = &self.egress;
        FilesViewData { files: &grant.files, call, table: &mut self.table }
    }
}
