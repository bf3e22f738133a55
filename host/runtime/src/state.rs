//! What one guest instance sees of the world: its role's grant, nothing else.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http::{Request, Response};
use wasmtime::component::ResourceTable;
use wasmtime::{StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as WasiError, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
    WasiHttpView,
};

use crate::authority::Authority;
use crate::http::{Client, Failure};
use crate::identity::IdentityEndpoint;
use crate::limits::MEMORY_MAX;

/// What a role may see. One a pool, shared by its instances.
#[derive(Default)]
pub(crate) struct Grant {
    /// The environment, complete.
    pub(crate) variables: Vec<(String, String)>,
    /// Servers that it may reach, by which client.
    pub(crate) authorities: Vec<Authority>,
    pub(crate) client: Option<Arc<Client>>,
    /// The in-process identity endpoint.
    pub(crate) identity: Option<Arc<IdentityEndpoint>>,
}

impl fmt::Debug for Grant {
    // Variables hold secrets; a constant is all that may be shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Grant")
    }
}

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
        let wasi = WasiCtx::builder().envs(&grant.variables).build();
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

    /// The cause of this call's last transport failure, once.
    pub(crate) fn take_failure(&self) -> Option<String> {
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
    failure: Arc<Mutex<Option<String>>>,
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
            match grant.send(request, options.unwrap_or_default()).await {
                Ok(response) => Ok((response, Box::new(async { Ok(()) }) as Done)),
                Err(error) => {
                    *failure.lock().unwrap_or_else(PoisonError::into_inner) =
                        error.cause().map(str::to_owned);
                    Err(error.into_wasi())
                }
            }
        })
    }
}

impl Grant {
    async fn send(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Failure> {
        let denied = |what: String| {
            tracing::warn!(target: "vaultlet", "denied {what}");
            Failure::Denied(format!("{what} is not granted to this role"))
        };
        let Some((host, port, tls)) = Authority::of(request.uri()) else {
            return Err(denied("a request without a server".into()));
        };
        if let Some(identity) = self.identity.as_ref().filter(|i| i.is(&host, port, tls)) {
            return identity.handle(request).await;
        }
        let granted = self.authorities.iter().find(|a| a.is(&host, port, tls));
        let (Some(authority), Some(client)) = (granted, &self.client) else {
            let scheme = if tls { "https" } else { "http" };
            return Err(denied(format!("{scheme}://{host}:{port}")));
        };
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let started = Instant::now();
        let result = client.send(authority.purpose, request, options).await;
        log(&method, authority, &path, started, &result);
        result
    }
}

/// One line per request: never a query, a header but the request's id, or a body.
fn log(
    method: &http::Method,
    authority: &Authority,
    path: &str,
    started: Instant,
    result: &Result<Response<WasiBody>, Failure>,
) {
    let ms = started.elapsed().as_millis();
    match result {
        Ok(response) => {
            let id = response.headers().get("x-ms-request-id").and_then(|v| v.to_str().ok());
            let status = response.status().as_u16();
            tracing::info!(target: "vaultlet",
                "{method} {authority} {path} {status} {ms} ms {}", id.unwrap_or("-"));
        }
        Err(error) => {
            tracing::info!(target: "vaultlet", "{method} {authority} {path} failed {ms} ms: {error}");
        }
    }
}
