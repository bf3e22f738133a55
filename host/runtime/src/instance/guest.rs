//! What an instance of the component can be asked, whichever of its two worlds it is of.

use std::sync::Arc;

use wasmtime::Result;
use wasmtime::component::{ComponentNamedList, Lift, Lower};

use crate::bindings::exports::vaultlet::keyvault::plan::{CredentialPlan, Resolved, Subject};
use crate::bindings::exports::vaultlet::keyvault::render::{Format, Part};
use crate::bindings::exports::vaultlet::keyvault::types::{
    Error, Holder, Listed, Page, Properties, TokenProperties, TokenRequest,
};
use crate::call::Call;
use crate::error::Cause;
use crate::token::UserAssigned;

use super::embedded::EmbeddedInstance;
#[cfg(feature = "jit")]
use super::provider::ProviderInstance;
use super::records::{Incoming, Reply, Route, SecretRecord, TokenRecord, Variables};

const PLAN: &str = "plan";
const RENDER: &str = "render";

/// An instance. An outer error is a trap, or the end of the call; the instance is not used again then.
pub(crate) enum Guest {
    /// Of the world `embedded`.
    Embedded(EmbeddedInstance),
    /// Of the world `provider`.
    #[cfg(feature = "jit")]
    Provider(ProviderInstance),
}

/// Makes the call of whichever world the instance is of.
macro_rules! either {
    ($guest:expr, $instance:ident => $call:expr) => {
        match $guest {
            Guest::Embedded($instance) => $call,
            #[cfg(feature = "jit")]
            Guest::Provider($instance) => $call,
        }
    };
}

/// The functions that read secrets and get tokens, in which the worlds differ.
impl Guest {
    pub(crate) fn get(
        &mut self,
        call: &Arc<Call>,
        reference: &str,
        identity: Option<&UserAssigned>,
    ) -> Result<Result<SecretRecord, Error>> {
        either!(self, instance => instance.get(call, reference, identity))
    }

    pub(crate) fn list_page(
        &mut self,
        call: &Arc<Call>,
        what: &Listed,
        marker: Option<&str>,
        identity: Option<&UserAssigned>,
    ) -> Result<Result<Page, Error>> {
        either!(self, instance => instance.list_page(call, what, marker, identity))
    }

    pub(crate) fn get_token(
        &mut self,
        call: &Arc<Call>,
        request: &TokenRequest,
    ) -> Result<Result<TokenRecord, Error>> {
        either!(self, instance => instance.get_token(call, request))
    }

    pub(crate) fn serve(&mut self, call: &Arc<Call>, request: &Incoming) -> Result<Reply> {
        either!(self, instance => instance.serve(call, request))
    }

    pub(crate) fn route(
        &mut self,
        call: &Arc<Call>,
        reference: &str,
        settings: &Variables,
    ) -> Result<Result<Route, Error>> {
        match self {
            Self::Embedded(instance) => instance.route(call, reference, settings),
            #[cfg(feature = "jit")]
            Self::Provider(_) => {
                let subject = Subject::Secret(reference.to_owned());
                let resolved = self.resolve(call, &subject, settings)?;
                Ok(resolved.map(|resolved| Route { server: resolved.server, prefix: None }))
            }
        }
    }

    /// Takes the cause of the last transport failure.
    pub(crate) fn take_failure(&mut self) -> Option<Cause> {
        either!(self, instance => instance.take_failure())
    }
}

/// The pure functions, which both worlds export alike.
impl Guest {
    pub(crate) fn resolve(
        &mut self,
        call: &Arc<Call>,
        what: &Subject,
        settings: &Variables,
    ) -> Result<Result<Resolved, Error>> {
        self.invoke(call, PLAN, "resolve", (what, settings))
    }

    pub(crate) fn plan_credentials(
        &mut self,
        call: &Arc<Call>,
        settings: &Variables,
        values: &Variables,
    ) -> Result<Result<CredentialPlan, Error>> {
        self.invoke(call, PLAN, "plan-credentials", (settings, values))
    }

    #[cfg(feature = "lend")]
    pub(crate) fn lent(
        &mut self,
        call: &Arc<Call>,
        address: &str,
        secret: &str,
    ) -> Result<Vec<(String, String)>> {
        self.invoke(call, PLAN, "lent", (address, secret))
    }

    pub(crate) fn render_listing(
        &mut self,
        call: &Arc<Call>,
        what: &Listed,
        settings: &Variables,
        items: &[Properties],
        part: Part,
        format: Format,
    ) -> Result<Result<String, Error>> {
        self.invoke(call, RENDER, "listing", (what, settings, items, part, format))
    }

    pub(crate) fn render_token(
        &mut self,
        call: &Arc<Call>,
        token: &str,
        properties: &TokenProperties,
    ) -> Result<String> {
        self.invoke(call, RENDER, "token", (token, properties))
    }

    pub(crate) fn render_whoami(
        &mut self,
        call: &Arc<Call>,
        properties: &TokenProperties,
        holder: &Holder,
        format: Format,
    ) -> Result<Result<String, Error>> {
        self.invoke(call, RENDER, "whoami", (properties, holder, format))
    }

    fn invoke<P, R>(
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
        either!(self, instance => instance.invoke(call, interface, function, parameters))
    }
}
