//! Signing with a key that was read from its file.

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};

use super::certificate::chain;
use super::fault::Fault;
use super::key_file::Content;

pub(super) struct Signer {
    key: RsaKeyPair,
    /// The key's own certificate first, in DER.
    certificates: Vec<Vec<u8>>,
}

/// The algorithm that a query names: `algorithm=PS256`, with a name of RFC 7518.
pub(super) fn algorithm(query: &str) -> Option<&'static dyn RsaEncoding> {
    match query.strip_prefix("algorithm=")? {
        "PS256" => Some(&RSA_PSS_SHA256),
        "RS256" => Some(&RSA_PKCS1_SHA256),
        _ => None,
    }
}

impl Signer {
    pub(super) fn new(content: Content) -> Result<Self, Fault> {
        let key = RsaKeyPair::from_der(&content.key).map_err(|rejected| {
            match rejected.to_string().as_str() {
                "TooSmall" | "TooLarge" => Fault::Size,
                _ => Fault::Form("its key is malformed"),
            }
        })?;
        let certificates = chain(content.certificates, key.public().as_ref())?;
        Ok(Self { key, certificates })
    }

    pub(super) fn certificates(&self) -> String {
        let mut pem = String::new();
        for der in &self.certificates {
            let text = Base64::encode_string(der);
            pem.push_str("-----BEGIN CERTIFICATE-----\n");
            for line in text.as_bytes().chunks(64) {
                pem.push_str(str::from_utf8(line).unwrap_or_default());
                pem.push('\n');
            }
            pem.push_str("-----END CERTIFICATE-----\n");
        }
        pem
    }

    /// The digests of the key's own certificate, by the names of their headers.
    pub(super) fn digests(&self) -> [(&'static str, String); 2] {
        let own = self.certificates.first().map(Vec::as_slice).unwrap_or_default();
        let encoded = |algorithm| Base64UrlUnpadded::encode_string(digest(algorithm, own).as_ref());
        [
            ("vaultlet-sha1", encoded(&SHA1_FOR_LEGACY_USE_ONLY)),
            ("vaultlet-sha256", encoded(&SHA256)),
        ]
    }

    pub(super) fn sign(
        &self,
        algorithm: &'static dyn RsaEncoding,
        message: &[u8],
    ) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(algorithm, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(signature)
    }
}
