//! Key Vault secrets through `wasmcloud:secrets`, for components that use only that interface.
#![no_std]

extern crate alloc;

use alloc::string::String;

use bindings::{
    exports::wasmcloud::secrets::{
        reveal,
        store::{self, SecretBorrow, SecretValue, SecretsError},
    },
    vaultlet::keyvault::{secrets, types},
    wasi::cli::environment::get_environment,
};
use common::Keys;

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    clippy::indexing_slicing,
    reason = "generated"
)]
mod bindings {
    wit_bindgen::generate!({
        inline: "
            package vaultlet:adapters;
            world wasmcloud {
                import wasi:cli/environment@0.2.6;
                import vaultlet:keyvault/secrets@0.1.0;
                export wasmcloud:secrets/store@2.1.0;
                export wasmcloud:secrets/reveal@2.1.0;
            }
        ",
        path: ["../../../wit", "../wit/wasmcloud"],
        world: "vaultlet:adapters/wasmcloud",
        generate_all,
    });
}

struct Secrets;
bindings::export!(Secrets with_types_in bindings);

/// The vault's own handle: the value stays in `vaultlet.wasm` until it is revealed.
struct Secret(secrets::Secret);

impl store::GuestSecret for Secret {}

impl store::Guest for Secrets {
    type Secret = Secret;

    async fn get(key: String) -> Result<store::Secret, SecretsError> {
        let keys = Keys::read(&get_environment());
        let keys = keys.map_err(|line| SecretsError::Upstream(line.into()))?;
        let reference = keys.reference(&key).ok_or(SecretsError::NotFound)?;
        let secret = secrets::get(reference, None).map_err(error)?;
        Ok(store::Secret::new(Secret(secret)))
    }
}

impl reveal::Guest for Secrets {
    async fn reveal(secret: SecretBorrow<'_>) -> SecretValue {
        SecretValue::String(secret.get::<Secret>().0.reveal())
    }
}

fn error(error: types::Error) -> SecretsError {
    let wrap = match error.kind {
        types::ErrorKind::NotFound => return SecretsError::NotFound,
        types::ErrorKind::Unavailable | types::ErrorKind::Timeout => SecretsError::Io,
        _ => SecretsError::Upstream,
    };
    wrap(common::line(error.message, error.code, &error.help, &error.id))
}
