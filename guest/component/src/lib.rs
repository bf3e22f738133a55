//! The shell around the core: it implements a WIT world with the core, and the core's `Context` with the
//! imports of that world. It has no logic of its own. `vaultlet.wasm` is the world `provider`, over WASI 0.2;
//! with the feature `p3` this is `vaultlet-p3.wasm`, the same over WASI 0.3, and with the feature `embedded`
//! it is `embedded.wasm`, the world of that name.
#![cfg(target_arch = "wasm32")]
#![no_std]

extern crate alloc;

mod calls;
mod convert;
#[cfg(feature = "embedded")]
mod embedded;
#[cfg(not(feature = "embedded"))]
mod exports;
mod instance;
mod memory;
#[cfg(not(feature = "embedded"))]
mod platform;
mod render;
#[cfg(not(feature = "embedded"))]
#[cfg_attr(feature = "p3", path = "p3/mod.rs")]
mod wasi;

use alloc::{string::String, vec::Vec};

use bindings::exports::vaultlet::keyvault::{plan, types};
use convert::{subject, to_credential_plan, to_error, to_resolved, to_setting};
use vaultlet_core::{planner, serve::lend, settings};

#[cfg(not(any(feature = "embedded", feature = "p3")))]
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

/// Over WASI 0.3, by the names that the bindings over WASI 0.2 have.
#[cfg(feature = "p3")]
mod bindings {
    pub(crate) use generated::{wit_future, wit_stream};

    pub(crate) mod wasi {
        pub(crate) use super::generated::wasi::{
            cli0_3_0 as cli, clocks0_3_0 as clocks, filesystem0_3_0 as filesystem,
            http0_3_0 as http, random0_3_0 as random,
        };
    }

    pub(crate) mod exports {
        pub(crate) mod wasi {
            pub(crate) use super::super::generated::exports::wasi::{
                cli0_3_0 as cli, http0_3_0 as http,
            };
        }

        pub(crate) mod vaultlet {
            pub(crate) mod keyvault {
                use super::super::super::generated::exports::vaultlet;
                pub(crate) use vaultlet::{
                    keyvault0_1_0::{plan, render, types},
                    keyvault0_2_0_draft::{credentials, secrets, simple},
                };
            }
        }
    }

    #[allow(
        missing_docs,
        unreachable_pub,
        unused_qualifications,
        clippy::allow_attributes_without_reason,
        clippy::indexing_slicing,
        reason = "generated"
    )]
    pub(crate) mod generated {
        wit_bindgen::generate!({
            world: "vaultlet:keyvault/provider@0.2.0-draft",
            path: ["../../wit", "../../wit/p3"],
            // An instance makes one call at a time: the core is synchronous, and these block.
            async: [
                "-export:vaultlet:keyvault/secrets@0.2.0-draft#get",
                "-export:vaultlet:keyvault/secrets@0.2.0-draft#list-page",
                "-export:vaultlet:keyvault/simple@0.2.0-draft#get-secret",
                "-export:vaultlet:keyvault/credentials@0.2.0-draft#get-token",
                "-export:wasi:cli/run@0.3.0#run",
            ],
            generate_all,
            disable_run_ctors_once_workaround: true,
        });
    }
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
#[cfg(not(feature = "p3"))]
bindings::export!(Provider with_types_in bindings);
#[cfg(feature = "p3")]
bindings::generated::export!(Provider with_types_in bindings::generated);

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
