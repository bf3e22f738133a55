//! Tokens: signed and verified as Entra's v1 access tokens are, except for the algorithm (ES256,
//! because an RSA key takes long to make).
//!
//! <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, errors::ErrorKind,
};
use rcgen::KeyPair;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{MANAGED, Principal, TENANT, USER, USER_NAME, Who, resource_id};
use crate::{clock, error::StartError, limits};

/// Signs and verifies.
pub(crate) struct Issuer {
    header: Header,
    signing: EncodingKey,
    verifying: DecodingKey,
    lifetime: u64,
    verified: Mutex<HashMap<Digest, Verified>>,
}

/// A token that was given out.
pub(crate) struct Token {
    secret: SecretString,
    /// Seconds since 1970.
    pub(crate) not_before: u64,
    /// Seconds since 1970.
    pub(crate) expires: u64,
    /// Seconds from its issue to its end.
    pub(crate) lifetime: u64,
}

/// Why a token is not good for a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is for this one.
    Audience(String),
    /// It is from this one.
    Issuer(String),
    Expired,
    Signature,
    Malformed,
}

type Digest = [u8; 32];

struct Verified {
    who: Who,
    audience: String,
    /// Seconds since 1970.
    expires: u64,
}

impl Verified {
    fn check(&self, audience: &str, now: u64) -> Result<Who, Refusal> {
        if self.audience != audience {
            return Err(Refusal::Audience(self.audience.clone()));
        }
        if self.expires <= now {
            return Err(Refusal::Expired);
        }
        Ok(self.who)
    }
}

impl Issuer {
    /// An issuer with a new key, whose tokens live so many seconds.
    pub(crate) fn new(lifetime: u64) -> Result<Self, StartError> {
        let key = KeyPair::generate().map_err(|e| StartError::Certificate(e.to_string()))?;
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(Uuid::new_v4().simple().to_string());
        Ok(Self {
            header,
            signing: EncodingKey::from_ec_der(key.serialized_der()),
            verifying: DecodingKey::from_ec_der(key.public_key_raw()),
            lifetime,
            verified: Mutex::default(),
        })
    }

    /// A token of this identity for this resource; `None` only if the random source fails.
    pub(crate) fn issue(&self, principal: &Principal, resource: &str) -> Option<Token> {
        let now = clock::now();
        let claims = Claims::new(principal, resource, now, self.lifetime);
        let (not_before, expires) = (claims.nbf, claims.exp);
        let secret = SecretString::from(encode(&self.header, &claims, &self.signing).ok()?);
        Some(Token { secret, not_before, expires, lifetime: self.lifetime })
    }

    /// Whose token this is, if it is one of ours, for this audience and not expired.
    pub(crate) fn verify(&self, token: &str, audience: &str) -> Result<Who, Refusal> {
        let digest = digest(token);
        let mut verified = self.verified();
        if let Some(known) = verified.get(&digest) {
            return known.check(audience, clock::now());
        }
        let known = self.decode(token)?;
        let who = known.check(audience, clock::now())?;
        if verified.len() >= limits::VERIFIED_TOKENS {
            verified.clear();
        }
        verified.insert(digest, known);
        Ok(who)
    }

    /// Reads a token whose signature is ours; for whom and until when it is good is left to
    /// [`Verified::check`].
    fn decode(&self, token: &str) -> Result<Verified, Refusal> {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.validate_aud = false;
        validation.validate_exp = false;
        validation.validate_nbf = true;
        validation.leeway = 0;
        validation.set_required_spec_claims(&["aud", "exp", "iss", "nbf"]);
        let claims = decode::<Presented>(token, &self.verifying, &validation)
            .map(|token| token.claims)
            .map_err(|error| match error.kind() {
                ErrorKind::InvalidSignature => Refusal::Signature,
                _ => Refusal::Malformed,
            })?;
        if claims.iss != issuer() {
            return Err(Refusal::Issuer(claims.iss));
        }
        let who = if claims.oid == MANAGED.object_id { Who::Managed } else { Who::User };
        Ok(Verified { who, audience: claims.aud, expires: claims.exp })
    }

    fn verified(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Verified>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    /// The token's text, for the body of an answer.
    pub(crate) fn expose(&self) -> &str {
        self.secret.expose_secret()
    }
}

/// The issuer that tokens name and vaults accept.
pub(crate) fn issuer() -> String {
    format!("https://sts.windows.net/{TENANT}/")
}

#[derive(Serialize)]
struct Claims {
    aud: String,
    iss: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    appid: &'static str,
    appidacr: &'static str,
    idp: String,
    idtyp: &'static str,
    oid: &'static str,
    sub: &'static str,
    tid: &'static str,
    uti: String,
    ver: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    xms_mirid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scp: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upn: Option<&'static str>,
}

impl Claims {
    fn new(principal: &Principal, resource: &str, now: u64, lifetime: u64) -> Self {
        let is_user = principal.who == Who::User;
        let user = |text| is_user.then_some(text);
        Self {
            aud: resource.to_owned(),
            iss: issuer(),
            iat: now,
            nbf: now.saturating_sub(limits::TOKEN_BACKDATED),
            exp: now.saturating_add(lifetime),
            appid: principal.app_id,
            appidacr: if is_user { "0" } else { "2" },
            idp: issuer(),
            idtyp: if is_user { "user" } else { "app" },
            oid: principal.object_id,
            sub: principal.object_id,
            tid: TENANT,
            uti: Uuid::new_v4().simple().to_string(),
            ver: "1.0",
            xms_mirid: (!is_user).then(resource_id),
            scp: user("user_impersonation"),
            name: user("Local User"),
            unique_name: user(USER_NAME),
            upn: user(USER_NAME),
        }
    }
}

/// What a vault reads of a token.
#[derive(Deserialize)]
struct Presented {
    aud: String,
    iss: String,
    exp: u64,
    oid: String,
}

fn digest(token: &str) -> Digest {
    let digest = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
    let mut bytes = Digest::default();
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

/// The identity with this object id.
pub(crate) fn principal(who: Who) -> &'static Principal {
    match who {
        Who::Managed => &MANAGED,
        Who::User => &USER,
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    const VAULT: &str = "https://vault.azure.net";

    #[test]
    fn token_is_good_for_its_audience_only_asked_twice() {
        let issuer = Issuer::new(60).unwrap();
        for principal in [&MANAGED, &USER] {
            let token = issuer.issue(principal, VAULT).unwrap();
            for _ in 0..2 {
                assert_eq!(issuer.verify(token.expose(), VAULT), Ok(principal.who));
                for other in ["https://localhost:1", "https://vault.azure.net/"] {
                    let refused = Err(Refusal::Audience(VAULT.to_owned()));
                    assert_eq!(issuer.verify(token.expose(), other), refused);
                }
            }
            assert_eq!(issuer.verified().len(), if principal.who == Who::Managed { 1 } else { 2 });
        }
    }

    #[test]
    fn foreign_expired_and_altered_tokens_are_refused_twice() {
        let issuer = Issuer::new(60).unwrap();
        let expired = Issuer::new(0).unwrap();
        let foreign = Issuer::new(60).unwrap().issue(&MANAGED, VAULT).unwrap();
        let stale = expired.issue(&MANAGED, VAULT).unwrap();
        let good = issuer.issue(&MANAGED, VAULT).unwrap();
        let mut parts: Vec<_> = good.expose().split('.').collect();
        let mut payload = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
        payload = String::from_utf8(payload)
            .unwrap()
            .replace(MANAGED.object_id, USER.object_id)
            .into_bytes();
        let payload = URL_SAFE_NO_PAD.encode(payload);
        parts[1] = &payload;
        let altered = parts.join(".");
        let unsigned = format!("eyJhbGciOiJub25lIn0.{payload}.");
        for _ in 0..2 {
            assert_eq!(issuer.verify(foreign.expose(), VAULT), Err(Refusal::Signature));
            assert_eq!(expired.verify(stale.expose(), VAULT), Err(Refusal::Expired));
            assert_eq!(issuer.verify(&altered, VAULT), Err(Refusal::Signature));
            assert_eq!(issuer.verify(&unsigned, VAULT), Err(Refusal::Malformed));
            assert_eq!(issuer.verify("", VAULT), Err(Refusal::Malformed));
        }
        assert!(issuer.verified().is_empty() && expired.verified().is_empty());
    }

    #[test]
    fn expired_is_refused_though_it_was_verified() {
        let issuer = Issuer::new(60).unwrap();
        let token = issuer.issue(&MANAGED, VAULT).unwrap();
        assert_eq!(issuer.verify(token.expose(), VAULT), Ok(Who::Managed));
        for known in issuer.verified().values_mut() {
            known.expires = 1;
        }
        assert_eq!(issuer.verify(token.expose(), VAULT), Err(Refusal::Expired));
    }
}
