//! Key Vault secrets through `wasi:config/store`, for components that use only that interface.
#![no_std]

extern crate alloc;

use alloc::{string::String, vec::Vec};

use bindings::{
    exports::wasi::config::store::{Error, Guest},
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
            world config {
                import wasi:cli/environment@0.2.6;
                import vaultlet:keyvault/secrets@0.1.0;
                export wasi:config/store@0.2.0-rc.1;
            }
        ",
        path: ["../../../wit", "../wit/config"],
        world: "vaultlet:adapters/config",
        generate_all,
    });
}

struct Store;
bindings::export!(Store with_types_in bindings);

impl Guest for Store {
    /// The value of a key; none if no such key is configured. If a configured key's secret cannot
    /// be read or does not exist, that is an error.
    fn get(key: String) -> Result<Option<String>, Error> {
        keys()?.reference(&key).map(value).transpose()
    }

    /// The values of all configured keys, or the first error.
    fn get_all() -> Result<Vec<(String, String)>, Error> {
        let keys = keys()?;
        let all = keys.listed().iter();
        all.map(|(key, reference)| Ok((key.clone(), value(reference)?))).collect()
    }
}

fn keys() -> Result<Keys, Error> {
    Keys::read(&get_environment()).map_err(|line| Error::Upstream(line.into()))
}

fn value(reference: &str) -> Result<String, Error> {
    let secret = secrets::get(reference, None).map_err(error)?;
    Ok(secret.reveal())
}

fn error(error: types::Error) -> Error {
    let wrap = match error.kind {
        types::ErrorKind::Unavailable | types::ErrorKind::Timeout => Error::Io,
        _ => Error::Upstream,
    };
    wrap(common::line(error.message, error.code, &error.help, &error.id))
}
