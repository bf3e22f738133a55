//! Per-instance store state: the grant of the instance's role, and nothing else of this machine.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use http::{Request, Response};
use wasmtime::component::ResourceTable;
use wasmtime::{StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::p2::pipe::ClosedOutputStream;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as WasiError, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
    WasiHttpView,
};

use crate::error::Cause;
use crate::grant::Grant;
use crate::internal::LineStream;
use crate::internal::files::{FilesView, FilesViewData};
use crate::limits::MEMORY_MAX;

/// The data of one instance's store.
pub(crate) struct StoreState {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    egress: EgressHooks,
    pub(crate) limits: StoreLimits,
}

impl StoreState {
    pub(crate) fn new(grant: Arc<Grant>) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.envs(&grant.variables);
        match &grant.on_prompt {
            Some(on_line) => wasi.stderr(LineStream(Arc::clone(on_line))),
            None => wasi.stderr(ClosedOutputStream),
        };
        Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            egress: EgressHooks { grant, failure: Arc::default() },
            limits: StoreLimitsBuilder::new()
                .memory_size(MEMORY_MAX)
                .instances(16)
                .tables(16)
                .memories(4)
                .build(),
        }
    }

    /// Takes the cause of the last transport failure of this call.
    pub(crate) fn take_failure(&self) -> Option<Cause> {
        self.egress.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl WasiView for StoreState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for StoreState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.egress, table: &mut self.table, ctx: &mut self.http }
    }
}

impl FilesView for StoreState {
    fn files(&mut self) -> FilesViewData<'_> {
        FilesViewData { files: &self.egress.grant.files, table: &mut self.table }
    }
}

/// Sends the guest's HTTP requests, as far as the grant allows.
struct EgressHooks {
    grant: Arc<Grant>,
    failure: Arc<Mutex<Option<Cause>>>,
}

type BodySent = Box<dyn Future<Output = Result<(), WasiError>> + Send>;
type Sending = Box<dyn Future<Output = Result<(Response<WasiBody>, BodySent), WasiError>> + Send>;

impl WasiHttpHooks for EgressHooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: BodySent,
    ) -> Sending {
        let (grant, failure) = (Arc::clone(&self.grant), Arc::clone(&self.failure));
        Box::new(async move {
            let keep = |cause: Option<Cause>| {
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = cause;
            };
            let host = request.uri().host().unwrap_or_default().to_owned();
            match grant.send(request, options.unwrap_or_default()).await {
                Ok(mut response) => {
                    // The cause that the broker met, when the identity endpoint asked it.
                    if let Some(cause) = response.extensions_mut().remove::<Cause>() {
                        keep(Some(Cause { relayed: true, ..cause }));
                    }
                    Ok((response, Box::new(async { Ok(()) }) as BodySent))
                }
                Err(error) => {
                    let text = error.cause().map(str::to_owned);
                    keep(text.map(|text| Cause { host, text, relayed: false }));
                    Err(error.into_wasi())
                }
            }
        })
    }
}
