//! Client assertions: signed with a registered certificate, or by an issuer that the application
//! trusts.
//!
//! They are parsed as leniently as Entra does it: SDKs differ in the padding and the alphabet of
//! base64, and in whether times are whole numbers.
//!
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose},
};
use jsonwebtoken::crypto;
use rustls::pki_types::SignatureVerificationAlgorithm;
use serde_json::Value;
use webpki::{EndEntityCert, ring};

use super::{errors::OAuthError, registry::Certificate};
use crate::{
    directory::{
        federation::{AUDIENCE, Federation, SUBJECTS},
        signer,
    },
    limits,
};

/// An assertion that was parsed but not verified yet.
pub(super) struct Assertion<'a> {
    header: Value,
    claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Assertion<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        Some(Self {
            header: serde_json::from_slice(&lenient(header)?).ok()?,
            claims: serde_json::from_slice(&lenient(claims)?).ok()?,
            signed,
            signature: lenient(signature)?,
        })
    }

    /// Whether the client issued the assertion itself, so that it is signed with a certificate.
    pub(super) fn is_from_client(&self, client_id: &str) -> bool {
        self.text("iss").eq_ignore_ascii_case(client_id)
    }

    /// Verifies an assertion that the client signed with its certificate.
    pub(super) fn check_certificate(
        &self,
        certificates: &[Certificate],
        client_id: &str,
        is_audience: impl Fn(&str) -> bool,
        now: u64,
    ) -> Result<(), OAuthError> {
        let thumbprint =
            ["x5t#S256", "x5t"].iter().find_map(|name| lenient(self.header.get(name)?.as_str()?));
        let certificate = thumbprint
            .and_then(|it| certificates.iter().find(|known| known.has_thumbprint(&it)))
            .ok_or_else(|| OAuthError::new(700027))?;
        if !self.is_signed_with(certificate) {
            return Err(OAuthError::with_text(
                700027,
                "Client assertion failed signature validation. [Reason - The provided signature \
                 value did not match the expected signature value.]",
            ));
        }
        if !self.text("sub").eq_ignore_ascii_case(client_id) {
            return Err(OAuthError::new(700021));
        }
        if !is_audience(self.text("aud")) {
            return Err(OAuthError::new(700023));
        }
        self.check_time(now)
    }

    /// Verifies an assertion from the issuer that the applications trust.
    pub(super) fn check_federated(
        &self,
        federation: &Federation,
        now: u64,
    ) -> Result<(), OAuthError> {
        let mismatch = |number, what, found: &str| {
            OAuthError::with_text(
                number,
                format!(
                    "No matching federated identity record found for presented assertion {what} \
                     '{found}'. Check your federated identity credential Subject, Audience and \
                     Issuer against the presented assertion. \
                     https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
                ),
            )
        };
        if self.text("iss") != federation.issuer() {
            return Err(mismatch(700211, "issuer", self.text("iss")));
        }
        let audience = self.claims.get("aud").and_then(|aud| aud.get(0)).and_then(Value::as_str);
        let audience = audience.unwrap_or_else(|| self.text("aud"));
        if audience != AUDIENCE {
            return Err(mismatch(700212, "audience", audience));
        }
        if !SUBJECTS.iter().any(|subject| subject.name() == self.text("sub")) {
            return Err(mismatch(700213, "subject", self.text("sub")));
        }
        let signature = general_purpose::URL_SAFE_NO_PAD.encode(&self.signature);
        let key = federation.signer().verifying();
        let is_valid = crypto::verify(&signature, self.signed.as_bytes(), key, signer::ALGORITHM);
        if !is_valid.unwrap_or(false) {
            return Err(OAuthError::with_text(
                700027,
                "Client assertion failed signature validation. [Reason - The key was not found.]",
            ));
        }
        self.check_time(now)
    }

    fn is_signed_with(&self, certificate: &Certificate) -> bool {
        let algorithm: &dyn SignatureVerificationAlgorithm =
            match self.header.get("alg").and_then(Value::as_str) {
                Some("RS256") => ring::RSA_PKCS1_2048_8192_SHA256,
                Some("PS256") => ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
                _ => return false,
            };
        EndEntityCert::try_from(&certificate.der).is_ok_and(|certificate| {
            certificate.verify_signature(algorithm, self.signed.as_bytes(), &self.signature).is_ok()
        })
    }

    fn check_time(&self, now: u64) -> Result<(), OAuthError> {
        let time = |name| self.claims.get(name).and_then(Value::as_f64);
        #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 are exact for ages")]
        let (now, skew) = (now as f64, limits::ASSERTION_SKEW as f64);
        let is_expired = time("exp").is_none_or(|until| until + skew <= now);
        let is_early = time("nbf").is_some_and(|from| from - skew > now);
        if is_expired || is_early { Err(OAuthError::new(700024)) } else { Ok(()) }
    }

    fn text(&self, name: &str) -> &str {
        self.claims.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Decodes base64 in either alphabet, with or without padding.
fn lenient(text: &str) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
    URL.decode(text).or_else(|_| STANDARD.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::{clock, directory::federation::Subject};

    #[test]
    fn base64_is_decoded_in_the_variant_of_every_sdk() {
        for text in ["-_8", "-_8=", "+/8", "+/8="] {
            assert_eq!(lenient(text), Some(vec![0xfb, 0xff]), "{text}");
        }
        assert_eq!(lenient("*"), None);
    }

    #[test]
    fn a_federated_token_is_accepted_within_its_lifetime_only() {
        let federation = Federation::new("https://localhost:1").unwrap();
        let token = federation.token(Subject::Workload.name(), AUDIENCE, 60).unwrap();
        let assertion = Assertion::read(token.expose_secret()).unwrap();
        let now = clock::now();
        for (at, is_good) in [
            (now, true),
            (now + 60 + limits::ASSERTION_SKEW - 1, true),
            (now + 61 + limits::ASSERTION_SKEW, false),
            (now - limits::ASSERTION_SKEW - 5, false),
        ] {
            assert_eq!(assertion.check_federated(&federation, at).is_ok(), is_good, "{at}");
        }
        let other = Federation::new("https://localhost:1").unwrap();
        for _ in 0..2 {
            assert!(assertion.check_federated(&other, now).is_err());
        }
    }

    #[test]
    fn malformed_assertions_are_rejected() {
        for text in ["", ".", "..", "a.b.c", "e30.e30", "e30.W10"] {
            assert!(Assertion::read(text).is_none(), "{text}");
        }
    }
}
