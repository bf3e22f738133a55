//! The client of the host's identity endpoint, and the protocol that both its sides speak.
//!
//! `GET /token?resource=…[&tenant=…][&client_id=…|&object_id=…|&resource_id=…]`, parameters in this
//! order; claims in `vaultlet-claims` (base64url of the JSON) with `cache-control: no-cache`. 200:
//! `{"access_token","expires_on","refresh_on","resource","source","endpoint","client_id"}`; otherwise
//! `{"error":{…}}`, the whole error record. With `cache-control: max-age=<seconds>` a token may come from
//! a cache that got it within that time. `GET /identity`: the identity that the settings or Azure's
//! variables name, as the parameter of a token request (`client_id=…`), or nothing. A host caches by the response's `cache-control` (RFC 9111,
//! RFC 5861) and need not know what a token is.

mod client;

pub(crate) use client::request_token;

/// The path of token requests.
pub(crate) const PATH: &str = "/token";
/// The path of the identity that the settings or variables name.
pub(crate) const IDENTITY_PATH: &str = "/identity";
/// The header with the secret that proves that a request comes from the host.
pub const SECRET_HEADER: &str = "vaultlet-endpoint-secret";
/// The header with the claims of a token request.
pub(crate) const CLAIMS_HEADER: &str = "vaultlet-claims";
