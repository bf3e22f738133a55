//! What one guest instance sees of the world: its role's grant, nothing else.

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
use crate::limits::MEMORY_MAX;
use crate::prompt::Stderr;

/// The data of one instance's store.
pub(crate) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    door: Door,
    pub(crate) limits: StoreLimits,
}

impl State {
    pub(crate) fn new(grant: Arc<Grant>) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.envs(&grant.variables);
        match &grant.on_prompt {
            Some(heard_by) => wasi.stderr(Stderr(Arc::clone(heard_by))),
            None => wasi.stderr(ClosedOutputStream),
        };
        let wasi = wasi.build();
        Self {
            wasi,
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            door: Door { grant, failure: Arc::default() },
            limits: StoreLimitsBuilder::new()
                .memory_size(MEMORY_MAX)
                .instances(16)
                .tables(16)
                .memories(4)
                .build(),
        }
    }

    pub(crate) fn grant(&self) -> Arc<Grant> {
        Arc::clone(&self.door.grant)
    }

    pub(crate) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// The cause of this call's last transport failure, once.
    pub(crate) fn take_failure(&self) -> Option<Cause> {
        self.door.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.door, table: &mut self.table, ctx: &mut self.http }
    }
}

/// The one door out.
struct Door {
    grant: Arc<Grant>,
    failure: Arc<Mutex<Option<Cause>>>,
}

type Done = Box<dyn Future<Output = Result<(), WasiError>> + Send>;
type Sent = Box<dyn Future<Output = Result<(Response<WasiBody>, Done), WasiError>> + Send>;

impl WasiHttpHooks for Door {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Done,
    ) -> Sent {
        let (grant, failure) = (Arc::clone(&self.grant), Arc::clone(&self.failure));
        Box::new(async move {
            let keep = |cause: Option<Cause>| {
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = cause;
            };
            let host = request.uri().host().unwrap_or_default().to_owned();
            match grant.send(request, options.unwrap_or_default()).await {
                Ok(mut response) => {
                    // What the broker failed of, who was asked inside the host.
                    if let Some(cause) = response.extensions_mut().remove::<Cause>() {
                        keep(Some(Cause { relayed: true, ..cause }));
                    }
                    Ok((response, Box::new(async { Ok(()) }) as Done))
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
