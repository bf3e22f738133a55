//! Assertions of clients: signed with a registered certificate, or by an issuer they trust.
//!
//! Read as leniently as Entra reads them: SDKs differ in padding, in the alphabet of base64, and
//! in whether a moment is a whole number.
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

use super::{
    errors::Trouble,
    federation::{self, Federation},
    registry::Certificate,
};
use crate::{identity::signer, limits};

/// A token that was read, and not verified yet.
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

    /// Whether the client made it itself, so that it is signed with a certificate.
    pub(super) fn is_of_client(&self, client_id: &str) -> bool {
        self.text("iss").eq_ignore_ascii_case(client_id)
    }

    /// Verifies one that the client signed itself.
    pub(super) fn check_certificate(
        &self,
        certificates: &[Certificate],
        client_id: &str,
        is_audience: impl Fn(&str) -> bool,
        now: u64,
    ) -> Result<(), Trouble> {
        let thumbprint =
            ["x5t#S256", "x5t"].iter().find_map(|name| lenient(self.header.get(name)?.as_str()?));
        let certificate = thumbprint
            .and_then(|it| certificates.iter().find(|known| known.has_thumbprint(&it)))
            .ok_or_else(|| Trouble::new(700027))?;
        if !self.is_signed_with(certificate) {
            return Err(Trouble::say(
                700027,
                "Client assertion failed signature validation. [Reason - The provided signature \
                 value did not match the expected signature value.]",
            ));
        }
        if !self.text("sub").eq_ignore_ascii_case(client_id) {
            return Err(Trouble::new(700021));
        }
        if !is_audience(self.text("aud")) {
            return Err(Trouble::new(700023));
        }
        self.check_time(now)
    }

    /// Verifies one of the issuer that the applications trust.
    pub(super) fn check_federated(&self, federation: &Federation, now: u64) -> Result<(), Trouble> {
        let mismatch = |number, what, found: &str| {
            Trouble::say(
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
        if audience != federation::AUDIENCE {
            return Err(mismatch(700212, "audience", audience));
        }
        if !federation::SUBJECTS.iter().any(|subject| subject.name() == self.text("sub")) {
            return Err(mismatch(700213, "subject", self.text("sub")));
        }
        let signature = general_purpose::URL_SAFE_NO_PAD.encode(&self.signature);
        let key = federation.signer().verifying();
        let is_good = crypto::verify(&signature, self.signed.as_bytes(), key, signer::ALGORITHM);
        if !is_good.unwrap_or(false) {
            return Err(Trouble::say(
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

    fn check_time(&self, now: u64) -> Result<(), Trouble> {
        let moment = |name| self.claims.get(name).and_then(Value::as_f64);
        #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 are exact for ages")]
        let (now, skew) = (now as f64, limits::ASSERTION_SKEW as f64);
        let is_over = moment("exp").is_none_or(|until| until + skew <= now);
        let is_early = moment("nbf").is_some_and(|from| from - skew > now);
        if is_over || is_early { Err(Trouble::new(700024)) } else { Ok(()) }
    }

    fn text(&self, name: &str) -> &str {
        self.claims.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Decodes either alphabet of base64, padded or not.
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
    use crate::{
        authority::federation::{AUDIENCE, Subject},
        clock,
    };

    #[test]
    fn base64_of_every_sdk_is_read() {
        for text in ["-_8", "-_8=", "+/8", "+/8="] {
            assert_eq!(lenient(text), Some(vec![0xfb, 0xff]), "{text}");
        }
        assert_eq!(lenient("*"), None);
    }

    #[test]
    fn federated_tokens_end_with_their_time() {
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
    fn what_is_no_token_is_not_read() {
        for text in ["", ".", "..", "a.b.c", "e30.e30", "e30.W10"] {
            assert!(Assertion::read(text).is_none(), "{text}");
        }
    }
}
