//! The shell of `vaultlet.wasm`: it implements the WIT world `provider` with the core, and the core's
//! `Context` with WASI. It has no logic of its own.
#![cfg(target_arch = "wasm32")]
#![no_std]

extern crate alloc;

mod command;
mod context;
mod convert;
mod files;
mod handler;
mod memory;
mod render;
mod stream;

use alloc::{rc::Rc, string::String, vec::Vec};

use bindings::exports::vaultlet::keyvault::{credentials, plan, secrets, simple, types};
use context::WasiContext;
use convert::{identity, subject, to_credential_plan, to_error, to_resolved, to_setting};
use vaultlet_core::{
    call::Call,
    error::Error,
    planner,
    serve::lend,
    settings, token, tokens,
    vault::{self, Listed},
};

#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    clippy::indexing_slicing,
    reason = "generated"
)]
mod bindings {
    wit_bindgen::generate!({
        world: "provider",
        path: "../../wit",
        generate_all,
        disable_run_ctors_once_workaround: true,
    });
}

struct Provider;
bindings::export!(Provider with_types_in bindings);

/// Makes one call into the core, and blocks until it is done.
fn call<T>(
    work: impl FnOnce(&Call<'_, WasiContext>) -> Result<T, Error>,
) -> Result<T, types::Error> {
    let context = WasiContext::get();
    Call::new(context, &context.memory).and_then(|call| work(&call)).map_err(to_error)
}

struct SecretHandle(vault::Secret);

struct TokenHandle(Rc<token::Token>);

impl secrets::Guest for Provider {
    type Secret = SecretHandle;

    fn get(
        reference: String,
        given: Option<types::UserAssigned>,
    ) -> Result<secrets::Secret, types::Error> {
        call(|call| vault::get(call, &reference, identity(given)?))
            .map(|secret| secrets::Secret::new(SecretHandle(secret)))
    }

    fn list_page(
        what: secrets::Listed,
        marker: Option<String>,
        given: Option<types::UserAssigned>,
    ) -> Result<secrets::Page, types::Error> {
        call(|call| {
            let listed = match what {
                secrets::Listed::Secrets(vault) => Listed::secrets(&vault, call.settings()),
                secrets::Listed::Versions(of) => Listed::versions(&of, call.settings()),
            };
            vault::page(call, &listed?, marker.as_deref(), identity(given)?)
        })
        .map(convert::to_page)
    }
}

impl secrets::GuestSecret for SecretHandle {
    fn properties(&self) -> types::Properties {
        convert::to_properties(self.0.properties.clone())
    }

    fn reveal(&self) -> String {
        self.0.value.reveal().into()
    }
}

impl simple::Guest for Provider {
    fn get_secret(reference: String) -> Result<String, types::Error> {
        call(|call| vault::get(call, &reference, None)).map(|secret| secret.value.reveal().into())
    }
}

impl credentials::Guest for Provider {
    type Token = TokenHandle;

    fn get_token(request: credentials::TokenRequest) -> Result<credentials::Token, types::Error> {
        call(|call| {
            let resource = match request.resource {
                Some(resource) => resource,
                None => call.settings().known_cloud()?.resource(),
            };
            let request = token::TokenRequest::parse(
                &resource,
                request.tenant,
                request.claims,
                identity(request.identity)?,
            )?;
            tokens::token(call, &request)
        })
        .map(|token| credentials::Token::new(TokenHandle(token)))
    }
}

impl credentials::GuestToken for TokenHandle {
    fn properties(&self) -> credentials::TokenProperties {
        convert::to_token_properties(&self.0)
    }

    fn holder(&self) -> credentials::Holder {
        convert::to_holder(self.0.holder())
    }

    fn reveal(&self) -> String {
        self.0.secret.reveal().into()
    }
}

impl plan::Guest for Provider {
    fn resolve(
        what: plan::Subject,
        settings: Vec<plan::Variable>,
    ) -> Result<plan::Resolved, types::Error> {
        planner::resolve(&subject(what), &settings).map(to_resolved).map_err(to_error)
    }

    fn plan_credentials(
        settings: Vec<plan::Variable>,
        values: Vec<plan::Variable>,
    ) -> Result<plan::CredentialPlan, types::Error> {
        planner::plan_credentials(&settings, &values).map(to_credential_plan).map_err(to_error)
    }

    fn lent(address: String, secret: String) -> Vec<plan::Variable> {
        lend::variables(&address, &secret)
    }

    fn settings() -> Vec<plan::Setting> {
        settings::SETTINGS.iter().map(to_setting).collect()
    }
}
