//! An instance of a component of the world `provider`. Its functions are looked up by name: it is not
//! the fast way.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt as _, Empty, Limited};
use tokio::sync::oneshot;
use wasmtime::component::{ComponentNamedList, Instance, Lift, Lower, ResourceAny};
use wasmtime::{Result, Store, format_err};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

use crate::bindings::exports::vaultlet::keyvault::types::{
    Error as WitError, Listed, Page, TokenRequest,
};
use crate::call::Call;
use crate::error::Cause;
use crate::instance::export;
use crate::instance::records::{Incoming, Reply, SecretRecord, TokenRecord};
use crate::limits;
use crate::token::UserAssigned;

use super::Provider;
use super::store_state::WasiState;

pub(crate) struct ProviderInstance {
    provider: Arc<Provider>,
    state: State,
}

/// What a call needs while the runtime drives it.
struct State {
    provider: Arc<Provider>,
    store: Store<WasiState>,
    instance: Instance,
}

impl ProviderInstance {
    pub(super) fn new(
        provider: Arc<Provider>,
        store: Store<WasiState>,
        instance: Instance,
    ) -> Self {
        Self { state: State { provider: Arc::clone(&provider), store, instance }, provider }
    }

    /// Makes a call into the instance.
    fn run<T>(
        &mut self,
        call: &Arc<Call>,
        work: impl AsyncFnOnce(&mut State) -> Result<T>,
    ) -> Result<T> {
        self.state.store.data_mut().set_call(Some(call));
        let result = self.provider.run(call, work(&mut self.state));
        self.state.store.data_mut().set_call(None);
        result
    }
}

impl State {
    /// Calls a function of an interface of ours.
    async fn invoke<P, R>(&mut self, interface: &str, function: &str, parameters: P) -> Result<R>
    where
        P: ComponentNamedList + Lower,
        (R,): ComponentNamedList + Lift + 'static,
    {
        let index = export::function(self.provider.pre.component(), interface, function)?;
        let function = self.instance.get_typed_func::<P, (R,)>(&mut self.store, &index)?;
        Ok(function.call_async(&mut self.store, parameters).await?.0)
    }

    async fn handle(&mut self, request: Request<wasmtime_wasi_http::WasiBody>) -> Result<Reply> {
        let (sender, receiver) = oneshot::channel();
        let mut http = self.store.data_mut().http();
        let request = http.new_incoming_request(Scheme::Http, request)?;
        let out = http.new_response_outparam(sender)?;
        let handler = self.provider.handler.load(&mut self.store, &self.instance)?;
        let handler = handler.wasi_http_incoming_handler();
        let handled = handler.call_handle(&mut self.store, request, out);
        let (handled, reply) = tokio::join!(handled, collect(receiver));
        handled?;
        reply.ok_or_else(|| format_err!("the component gave no response"))
    }
}

impl ProviderInstance {
    pub(in crate::instance) fn get(
        &mut self,
        call: &Arc<Call>,
        reference: &str,
        identity: Option<&UserAssigned>,
    ) -> Result<Result<SecretRecord, WitError>> {
        self.run(call, async |state| {
            let got: Result<ResourceAny, WitError> =
                state.invoke("secrets", "get", (reference, identity)).await?;
            let handle = match got {
                Ok(handle) => handle,
                Err(error) => return Ok(Err(error)),
            };
            let properties =
                state.invoke("secrets", "[method]secret.properties", (handle,)).await?;
            let value = state.invoke("secrets", "[method]secret.reveal", (handle,)).await?;
            handle.resource_drop_async(&mut state.store).await?;
            Ok(Ok(SecretRecord { properties, value }))
        })
    }

    pub(in crate::instance) fn list_page(
        &mut self,
        call: &Arc<Call>,
        what: &Listed,
        marker: Option<&str>,
        identity: Option<&UserAssigned>,
    ) -> Result<Result<Page, WitError>> {
        self.invoke(call, "secrets", "list-page", (what, marker, identity))
    }

    pub(in crate::instance) fn get_token(
        &mut self,
        call: &Arc<Call>,
        request: &TokenRequest,
    ) -> Result<Result<TokenRecord, WitError>> {
        self.run(call, async |state| {
            let got: Result<ResourceAny, WitError> =
                state.invoke("credentials", "get-token", (request,)).await?;
            let handle = match got {
                Ok(handle) => handle,
                Err(error) => return Ok(Err(error)),
            };
            let properties =
                state.invoke("credentials", "[method]token.properties", (handle,)).await?;
            let holder = state.invoke("credentials", "[method]token.holder", (handle,)).await?;
            let value = state.invoke("credentials", "[method]token.reveal", (handle,)).await?;
            handle.resource_drop_async(&mut state.store).await?;
            Ok(Ok(TokenRecord { properties, holder, value }))
        })
    }

    pub(in crate::instance) fn serve(
        &mut self,
        call: &Arc<Call>,
        request: &Incoming,
    ) -> Result<Reply> {
        let request = to_request(request)?;
        self.run(call, async |state| state.handle(request).await)
    }

    /// Calls a function of an interface of ours.
    pub(in crate::instance) fn invoke<P, R>(
        &mut self,
        call: &Arc<Call>,
        interface: &str,
        function: &str,
        parameters: P,
    ) -> Result<R>
    where
        P: ComponentNamedList + Lower,
        (R,): ComponentNamedList + Lift + 'static,
    {
        self.run(call, async |state| state.invoke(interface, function, parameters).await)
    }

    pub(in crate::instance) fn take_failure(&mut self) -> Option<Cause> {
        self.state.store.data().take_failure()
    }
}

fn to_request(incoming: &Incoming) -> Result<Request<wasmtime_wasi_http::WasiBody>> {
    let Incoming { is_get, target, host, headers } = incoming;
    let method = if *is_get { Method::GET } else { Method::POST };
    let host = host.as_deref().unwrap_or("localhost");
    let empty = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
    let mut request =
        Request::builder().method(method).uri(format!("http://{host}{target}")).body(empty)?;
    for (name, value) in headers {
        let mut value = HeaderValue::try_from(value)?;
        value.set_sensitive(true);
        request.headers_mut().append(HeaderName::try_from(name)?, value);
    }
    Ok(request)
}

type Handled = std::result::Result<Response<HyperOutgoingBody>, ErrorCode>;

async fn collect(receiver: oneshot::Receiver<Handled>) -> Option<Reply> {
    let (parts, body) = receiver.await.ok()?.ok()?.into_parts();
    let body = Limited::new(body, limits::BODY_MAX).collect().await.ok()?.to_bytes();
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    Some(Reply {
        status: parts.status.as_u16(),
        headers: parts.headers.iter().map(|(n, v)| (n.as_str().to_owned(), text(v))).collect(),
        body: String::from_utf8(body.into()).ok()?,
    })
}
