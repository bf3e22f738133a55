//! The built-in component, of the world `embedded`: compiled by the build script, and run on the
//! thread of its caller.

use std::ptr::NonNull;
use std::sync::Arc;

use wasmtime::component::{
    Component, ComponentNamedList, Instance, InstancePre, Lift, Linker, Lower, TypedFunc,
};
use wasmtime::{Engine, Result, Store, UpdateDeadline};

use crate::bindings::exports::vaultlet::keyvault::types::{
    Error as WitError, Listed, Page, TokenRequest,
};
use crate::call::Call;
use crate::error::Cause;
use crate::grant::Grant;
use crate::token::UserAssigned;

use super::code_memory::{Pages, claim_in_place};
use super::export;
use super::host;
use super::records::{Incoming, Reply, Route, SecretRecord, TokenRecord, Variables};
use super::store_state::StoreState;

/// The component, compiled by the build script with the configuration of `config.rs`. On Linux the
/// linker puts it where the program's own code is.
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.vaultlet_component"))]
#[allow(unsafe_code, reason = "only data goes into the section, and the linker knows its kind")]
static COMPILED: Aligned<{ BYTES.len() }> = Aligned(*BYTES);
const BYTES: &[u8; include_bytes!(concat!(env!("OUT_DIR"), "/embedded.cwasm")).len()] =
    include_bytes!(concat!(env!("OUT_DIR"), "/embedded.cwasm"));

/// Aligned to a page, so that the code runs in place and is not copied.
#[repr(C, align(4096))]
struct Aligned<const SIZE: usize>([u8; SIZE]);

const OPERATIONS: &str = "operations";

/// How the component's code is made executable.
pub(super) fn pages() -> Pages {
    let code = COMPILED.0.as_ptr_range();
    let is_executable = cfg!(target_os = "linux");
    Pages { executable: if is_executable { code.start.addr()..code.end.addr() } else { 0..0 } }
}

/// The component with its imports resolved.
pub(super) struct Embedded {
    pre: InstancePre<StoreState>,
}

impl Embedded {
    pub(super) fn load(engine: &Engine) -> Result<Arc<Self>> {
        // SAFETY: the bytes are the output of this build and nothing else. They stay the same for
        // as long as the program runs.
        #[allow(unsafe_code, reason = "wasmtime trusts compiled code; ours is embedded")]
        let component = unsafe {
            let code: &[u8] = &COMPILED.0;
            if claim_in_place(code) {
                Component::deserialize_raw(engine, NonNull::from(code))?
            } else {
                Component::deserialize(engine, code)?
            }
        };
        crate::phases::mark("component loaded");
        let mut linker = Linker::new(engine);
        host::add_to_linker(&mut linker)?;
        let pre = linker.instantiate_pre(&component)?;
        crate::phases::mark("component linked");
        Ok(Arc::new(Self { pre }))
    }

    /// Starts an instance with this grant, for this call first.
    pub(super) fn instantiate(
        self: &Arc<Self>,
        grant: &Arc<Grant>,
        call: &Arc<Call>,
    ) -> Result<EmbeddedInstance> {
        let mut state = StoreState::new(Arc::clone(grant));
        state.begin(call);
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        // A guest in a long computation is stopped when its call has ended.
        store.epoch_deadline_callback(|context| {
            context.data().call()?.check()?;
            Ok(UpdateDeadline::Continue(1))
        });
        let instance = self.pre.instantiate(&mut store)?;
        Ok(EmbeddedInstance { shared: Arc::clone(self), store, instance, get: None })
    }
}

/// An instance of the component.
pub(crate) struct EmbeddedInstance {
    shared: Arc<Embedded>,
    store: Store<StoreState>,
    instance: Instance,
    /// Looked up when it is first called.
    get: Option<Get>,
}

type Get = TypedFunc<(String, Option<UserAssigned>), (Result<SecretRecord, WitError>,)>;

impl EmbeddedInstance {
    pub(super) fn get(
        &mut self,
        call: &Arc<Call>,
        reference: &str,
        identity: Option<&UserAssigned>,
    ) -> Result<Result<SecretRecord, WitError>> {
        self.run(call, |this| {
            let get = match &this.get {
                Some(get) => get,
                None => {
                    let get = this.typed(OPERATIONS, "get")?;
                    this.get.insert(get)
                }
            };
            Ok(get.call(&mut this.store, (reference.to_owned(), identity.cloned()))?.0)
        })
    }

    pub(super) fn list_page(
        &mut self,
        call: &Arc<Call>,
        what: &Listed,
        marker: Option<&str>,
        identity: Option<&UserAssigned>,
    ) -> Result<Result<Page, WitError>> {
        self.invoke(call, OPERATIONS, "list-page", (what, marker, identity))
    }

    pub(super) fn get_token(
        &mut self,
        call: &Arc<Call>,
        request: &TokenRequest,
    ) -> Result<Result<TokenRecord, WitError>> {
        self.invoke(call, OPERATIONS, "get-token", (request,))
    }

    pub(super) fn serve(&mut self, call: &Arc<Call>, request: &Incoming) -> Result<Reply> {
        self.invoke(call, OPERATIONS, "serve", (request,))
    }

    pub(super) fn route(
        &mut self,
        call: &Arc<Call>,
        reference: &str,
        settings: &Variables,
    ) -> Result<Result<Route, WitError>> {
        self.invoke(call, OPERATIONS, "route", (reference, settings))
    }

    pub(super) fn take_failure(&mut self) -> Option<Cause> {
        self.store.data_mut().take_failure()
    }

    /// Calls a function of an interface of ours.
    pub(super) fn invoke<P, R>(
        &mut self,
        call: &Arc<Call>,
        interface: &str,
        function: &str,
        parameters: P,
    ) -> Result<R>
    where
        P: ComponentNamedList + Lower,
        (R,): ComponentNamedList + Lift,
    {
        self.run(call, |this| {
            let function = this.typed::<P, R>(interface, function)?;
            Ok(function.call(&mut this.store, parameters)?.0)
        })
    }

    fn typed<P, R>(&mut self, interface: &str, function: &str) -> Result<TypedFunc<P, (R,)>>
    where
        P: ComponentNamedList + Lower,
        (R,): ComponentNamedList + Lift,
    {
        let index = export::function(self.shared.pre.component(), interface, function)?;
        self.instance.get_typed_func(&mut self.store, index)
    }

    /// Makes a call into the instance.
    fn run<T>(&mut self, call: &Arc<Call>, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.store.data_mut().begin(call);
        self.store.set_epoch_deadline(1);
        let result = work(self);
        self.store.data_mut().end();
        result
    }
}
