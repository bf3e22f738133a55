//! The records of the WIT interface `operations` (`wit/embedded.wit`). They hold values and tokens:
//! none has `Debug`.

use wasmtime::component::{ComponentType, Lift, Lower};

use crate::bindings::exports::vaultlet::keyvault::plan::Server;
use crate::bindings::exports::vaultlet::keyvault::types::{Holder, Properties, TokenProperties};

/// Variables, as pairs of name and value.
pub(crate) type Variables = [(String, String)];

/// A secret with its value.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct SecretRecord {
    pub(crate) properties: Properties,
    pub(crate) value: String,
}

/// A token with the identity that it belongs to.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct TokenRecord {
    pub(crate) properties: TokenProperties,
    pub(crate) holder: Holder,
    pub(crate) value: String,
}

/// A request to the component's HTTP handler.
#[derive(Clone, ComponentType, Lower)]
#[component(record)]
pub(crate) struct Incoming {
    #[component(name = "is-get")]
    pub(crate) is_get: bool,
    /// The path and the query.
    pub(crate) target: String,
    /// `host:port`.
    pub(crate) host: Option<String>,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
}

/// The reply to such a request.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// The vault of a reference.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct Route {
    pub(crate) server: Server,
    /// All references that begin so lead to the same vault.
    pub(crate) prefix: Option<String>,
}
