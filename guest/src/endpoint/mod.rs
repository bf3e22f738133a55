//! The identity endpoint by which one instance gives tokens to others: the canonical request, its
//! answer, and how long that is good. A host caches by the answer's `cache-control` (RFC 9111,
//! RFC 5861) and need not know what a token is.
//!
//! `GET /token?resource=…[&tenant=…][&client_id=…|&object_id=…|&resource_id=…]`, parameters in this
//! order; claims in `vaultlet-claims` (base64url of the JSON) with `cache-control: no-cache`. 200:
//! `{"access_token","expires_on","refresh_on","resource","source","endpoint","client_id"}`; else `{"error":{…}}`, our whole record.
//!
//! And what else one may be set to serve: Azure's own protocols (`lend`), secrets (`read`).

mod ask;
pub mod lend;
mod lifetime;
mod read;
mod serve;

pub use ask::ask;
pub use serve::{Asked, Served, serve};

/// The path of the canonical request.
pub const PATH: &str = "/token";
/// The header that proves that the caller is the host.
pub const SECRET_HEADER: &str = "vaultlet-endpoint-secret";
/// The variable that the host sets to the same. Without it nothing is served.
pub const SECRET_VARIABLE: &str = "VAULTLET_ENDPOINT_SECRET";
/// The header that carries claims.
pub const CLAIMS_HEADER: &str = "vaultlet-claims";
