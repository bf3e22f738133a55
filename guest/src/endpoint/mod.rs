//! The identity endpoint by which one instance gives tokens to others: the canonical request, its
//! answer, and how long that is good. A host caches by the answer's `cache-control` (RFC 9111,
//! RFC 5861) and need not know what a token is.
//!
//! `GET /token?resource=…[&tenant=…][&client_id=…|&object_id=…|&resource_id=…]`, parameters in this
//! order; claims in `vaultlet-claims` (base64url of the JSON) with `cache-control: no-cache`. 200:
//! [`Answer`]; else `{"error":{…}}`, our whole record.

mod ask;
mod lifetime;
mod serve;

pub use ask::ask;
pub use serve::{Asked, Served, serve};

use alloc::string::String;
use serde::{Deserialize, Serialize, Serializer};

use crate::secret::SecretString;

/// The path of the canonical request.
pub const PATH: &str = "/token";
/// The header that proves that the caller is the host.
pub const SECRET_HEADER: &str = "vaultlet-endpoint-secret";
/// The variable that the host sets to the same. Without it nothing is served.
pub const SECRET_VARIABLE: &str = "VAULTLET_ENDPOINT_SECRET";
/// The header that carries claims.
pub const CLAIMS_HEADER: &str = "vaultlet-claims";

/// The body of a success.
#[derive(Deserialize, Serialize)]
struct Answer {
    #[serde(serialize_with = "reveal")]
    access_token: SecretString,
    expires_on: i64,
    refresh_on: i64,
    resource: String,
    source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
}

/// The one place where a token is serialized: into the body that lends it.
fn reveal<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.reveal())
}
