//! The shell around the core: it implements a WIT world with the core, and the core's `Context` with the
//! imports of that world. It has no logic of its own. `vaultlet.wasm` is the world `provider`, over WASI;
//! with the feature `embedded` this is `embedded.wasm`, the world of that name.
#![cfg(target_arch = "wasm32")]
#![no_std]

extern crate alloc;

mod calls;
mod convert;
#[cfg(feature = "embedded")]
mod embedded;
mod instance;
mod memory;
mod render;
#[cfg(not(feature = "embedded"))]
mod wasi;

use alloc::{string::String, vec::Vec};

use bindings::exports::vaultlet::keyvault::{plan, types};
use convert::{subject, to_credential_plan, to_error, to_resolved, to_setting};
use vaultlet_core::{planner, serve::lend, settings};

#[cfg(not(feature = "embedded"))]
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

#[cfg(feature = "embedded")]
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
        world: "embedded",
        path: "../../wit",
        generate_all,
        // A request is lent to the host, not copied for it.
        ownership: Borrowing { duplicate_if_necessary: false },
        disable_run_ctors_once_workaround: true,
    });
}

struct Provider;
bindings::export!(Provider with_types_in bindings);

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
