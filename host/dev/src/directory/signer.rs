//! A key pair that signs JWTs, and its public key as a JWK set.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode};
use rcgen::KeyPair;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::StartError;

pub(crate) const ALGORITHM: Algorithm = Algorithm::ES256;

/// A signing key pair, which exists in memory only.
pub(crate) struct Signer {
    header: Header,
    signing: EncodingKey,
    verifying: DecodingKey,
    /// The public key as an uncompressed SEC 1 point: a marker byte, then both coordinates.
    point: Vec<u8>,
}

impl Signer {
    pub(crate) fn new() -> Result<Self, StartError> {
        let key = KeyPair::generate().map_err(|e| StartError::Certificate(e.to_string()))?;
        let mut header = Header::new(ALGORITHM);
        header.kid = Some(Uuid::new_v4().simple().to_string());
        Ok(Self {
            header,
            signing: EncodingKey::from_ec_der(key.serialized_der()),
            verifying: DecodingKey::from_ec_der(key.public_key_raw()),
            point: key.public_key_raw().to_vec(),
        })
    }

    /// A JWT with these claims; `None` only if the random source fails.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Option<SecretString> {
        Some(SecretString::from(encode(&self.header, claims, &self.signing).ok()?))
    }

    pub(crate) fn verifying(&self) -> &DecodingKey {
        &self.verifying
    }

    /// The JWK set that this issuer publishes.
    pub(crate) fn keys(&self, issuer: &str) -> Value {
        let (x, y) =
            self.point.get(1..).map(|both| both.split_at(both.len() / 2)).unwrap_or_default();
        json!({"keys": [{
            "kty": "EC",
            "use": "sig",
            "alg": "ES256",
            "crv": "P-256",
            "kid": self.header.kid,
            "x": URL_SAFE_NO_PAD.encode(x),
            "y": URL_SAFE_NO_PAD.encode(y),
            "issuer": issuer,
        }]})
    }
}
