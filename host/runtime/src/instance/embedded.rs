//! The built-in component, of the world `embedded`: compiled by the build script, and run on the
//! thread of its caller.

use std::ptr::NonNull;
use std::sync::Arc;

use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Linker,
    Lower, TypedFunc,
};
use wasmtime::{Engine, Result, Store, UpdateDeadline};

use crate::bindings::exports::vaultlet::keyvault::plan::{CredentialPlan, Resolved, Subject};
use crate::bindings::exports::vaultlet::keyvault::render::{Format, Part};
use crate::bindings::exports::vaultlet::keyvault::types::{
    Error as WitError, Holder, Listed, Page, Properties, TokenProperties, TokenRequest,
};
use crate::bindings::{Pure, PureIndices};
use crate::call::Call;
use crate::error::Cause;
use crate::grant::Grant;
use crate::token::UserAssigned;

use super::code_memory::{Pages, claim_in_place};
use super::guest::{Guest, Variables};
use super::host;
use super::records::{Incoming, Reply, Route, SecretRecord, TokenRecord};
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

/// How the component's code is made executable.
pub(super) fn pages() -> Pages {
    let code = COMPILED.0.as_ptr_range();
    let is_executable = cfg!(target_os = "linux");
    Pages { executable: if is_executable { code.start.addr()..code.end.addr() } else { 0..0 } }
}

const OPERATIONS: &str = "vaultlet:keyvault/operations@0.1.0";

/// The component with its imports resolved.
pub(super) struct Embedded {
    pre: InstancePre<StoreState>,
    pure: PureIndices,
    operations: Operations<ComponentExportIndex>,
}

/// The functions of the interface `operations`.
struct Operations<T> {
    get: T,
    list_page: T,
    get_token: T,
    serve: T,
    route: T,
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
        let missing = || wasmtime::format_err!("the component has no {OPERATIONS}");
        let interface = component.get_export_index(None, OPERATIONS).ok_or_else(missing)?;
        let function =
            |name| component.get_export_index(Some(&interface), name).ok_or_else(missing);
        let operations = Operations {
            get: function("get")?,
            list_page: function("list-page")?,
            get_token: function("get-token")?,
            serve: function("serve")?,
            route: function("route")?,
        };
        crate::phases::mark("component linked");
        Ok(Arc::new(Self { pure: PureIndices::new(&pre)?, pre, operations }))
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
        Ok(EmbeddedInstance { shared: Arc::clone(self), store, instance, pure: None, get: None })
    }
}

/// An instance of the component.
pub(super) struct EmbeddedInstance {
    shared: Arc<Embedded>,
    store: Store<StoreState>,
    instance: Instance,
    /// Looked up when they are first called.
    pure: Option<Pure>,
    get: Option<Get>,
}

type Get = TypedFunc<(String, Option<UserAssigned>), (Result<SecretRecord, WitError>,)>;

impl EmbeddedInstance {
    /// Makes a call into the instance.
    fn run<T>(&mut self, call: &Arc<Call>, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.store.data_mut().begin(call);
        self.store.set_epoch_deadline(1);
        let result = work(self);
        self.store.data_mut().end();
        result
    }

    /// Makes a call of the interface `operations`.
    fn operate<P, R>(
        &mut self,
        call: &Arc<Call>,
        function: impl FnOnce(&Operations<ComponentExportIndex>) -> &ComponentExportIndex,
        parameters: P,
    ) -> Result<R>
    where
        P: ComponentNamedList + Lower,
        (R,): ComponentNamedList + Lift,
    {
        self.run(call, |this| {
            let index = function(&this.shared.operations);
            let function = this.instance.get_typed_func::<P, (R,)>(&mut this.store, index)?;
            Ok(function.call(&mut this.store, parameters)?.0)
        })
    }

    /// Makes a call of the pure interfaces.
    fn pure<T>(
        &mut self,
        call: &Arc<Call>,
        work: impl FnOnce(&Pure, &mut Store<StoreState>) -> Result<T>,
    ) -> Result<T> {
        self.run(call, |this| {
            let pure = match this.pure.take() {
                Some(pure) => pure,
                None => this.shared.pure.load(&mut this.store, &this.instance)?,
            };
            let result = work(&pure, &mut this.store);
            this.pure = Some(pure);
            result
        })
    }
}

impl Guest for EmbeddedInstance {
    fn get(
        &mut self,
        call: &Arc<Call>,
        reference: &str,
        identity: Option<&UserAssigned>,
    ) -> Result<Result<SecretRecord, WitError>> {
        self.run(call, |this| {
            let get = match &this.get {
                Some(get) => get,
                None => {
                    let index = &this.shared.operations.get;
                    let get = this.instance.get_typed_func(&mut this.store, index)?;
                    this.get.insert(get)
                }
            };
            Ok(get.call(&mut this.store, (reference.to_owned(), identity.cloned()))?.0)
        })
    }

    fn list_page(
        &mut self,
        call: &Arc<Call>,
        what: &Listed,
        marker: Option<&str>,
        identity: Option<&UserAssigned>,
    ) -> Result<Result<Page, WitError>> {
        self.operate(call, |operations| &operations.list_page, (what, marker, identity))
    }

    fn get_token(
        &mut self,
        call: &Arc<Call>,
        request: &TokenRequest,
    ) -> Result<Result<TokenRecord, WitError>> {
        self.operate(call, |operations| &operations.get_token, (request,))
    }

    fn serve(&mut self, call: &Arc<Call>, request: &Incoming) -> Result<Reply> {
        self.operate(call, |operations| &operations.serve, (request,))
    }

    fn route(
        &mut self,
        call: &Arc<Call>,
        reference: &str,
        settings: &Variables,
    ) -> Result<Result<Route, WitError>> {
        self.operate(call, |operations| &operations.route, (reference, settings))
    }

    fn resolve(
        &mut self,
        call: &Arc<Call>,
        what: &Subject,
        settings: &Variables,
    ) -> Result<Result<Resolved, WitError>> {
        self.pure(call, |pure, store| {
            pure.vaultlet_keyvault_plan().call_resolve(store, what, settings)
        })
    }

    fn plan_credentials(
        &mut self,
        call: &Arc<Call>,
        settings: &Variables,
        values: &Variables,
    ) -> Result<Result<CredentialPlan, WitError>> {
        self.pure(call, |pure, store| {
            pure.vaultlet_keyvault_plan().call_plan_credentials(store, settings, values)
        })
    }

    #[cfg(feature = "lend")]
    fn lent(
        &mut self,
        call: &Arc<Call>,
        address: &str,
        secret: &str,
    ) -> Result<Vec<(String, String)>> {
        self.pure(call, |pure, store| {
            pure.vaultlet_keyvault_plan().call_lent(store, address, secret)
        })
    }

    fn render_secrets(
        &mut self,
        call: &Arc<Call>,
        references: &[(String, Properties)],
        values: &[String],
        part: Part,
        format: Format,
    ) -> Result<Result<String, WitError>> {
        self.pure(call, |pure, store| {
            let render = pure.vaultlet_keyvault_render();
            render.call_secrets(store, references, values, part, format)
        })
    }

    fn render_listing(
        &mut self,
        call: &Arc<Call>,
        what: &Listed,
        settings: &Variables,
        items: &[Properties],
        part: Part,
        format: Format,
    ) -> Result<Result<String, WitError>> {
        self.pure(call, |pure, store| {
            let render = pure.vaultlet_keyvault_render();
            render.call_listing(store, what, settings, items, part, format)
        })
    }

    fn render_token(
        &mut self,
        call: &Arc<Call>,
        token: &str,
        properties: &TokenProperties,
    ) -> Result<String> {
        self.pure(call, |pure, store| {
            pure.vaultlet_keyvault_render().call_token(store, token, properties)
        })
    }

    fn render_whoami(
        &mut self,
        call: &Arc<Call>,
        properties: &TokenProperties,
        holder: &Holder,
        format: Format,
    ) -> Result<Result<String, WitError>> {
        self.pure(call, |pure, store| {
            pure.vaultlet_keyvault_render().call_whoami(store, properties, holder, format)
        })
    }

    fn take_failure(&mut self) -> Option<Cause> {
        self.store.data_mut().take_failure()
    }
}
