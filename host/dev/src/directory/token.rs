//! Access tokens: signed and verified like Entra's v1 tokens, except for the algorithm (ES256,
//! because generating an RSA key is slow).
//!
//! <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jsonwebtoken::{Validation, decode, errors::ErrorKind};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    signer::{self, Signer},
    who::{Principal, TENANT, USER_NAME, Who, resource_id, who_has_object_id},
};
use crate::{clock, error::StartError, limits};

/// The issuer of access tokens: it signs them for the authority and the identity endpoints, and
/// verifies them for the vaults.
pub(crate) struct Issuer {
    signer: Signer,
    lifetime: u64,
    verified: Mutex<HashMap<Digest, Verified>>,
}

/// An access token that was issued.
pub(crate) struct Token {
    secret: SecretString,
    /// Start of the token's validity, in seconds since 1970.
    pub(crate) not_before: u64,
    /// Expiry of the token, in seconds since 1970.
    pub(crate) expires: u64,
    /// Lifetime of the token, in seconds.
    pub(crate) lifetime: u64,
}

/// The contents of a token to be issued.
pub(crate) struct Terms<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) resource: &'a str,
    pub(crate) tenant: &'a str,
    /// Client id of the client that asked for the token.
    pub(crate) app_id: &'a str,
    /// How that client authenticated, as the claim `appidacr` has it: `0` not at all, `1` by a
    /// secret, `2` by a certificate.
    /// <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>
    pub(crate) proof: &'static str,
    /// Whether the client announced that it handles claims challenges.
    /// <https://learn.microsoft.com/entra/identity-platform/claims-challenge>
    pub(crate) is_cae: bool,
    /// Upper limit of the token's lifetime, in seconds.
    pub(crate) max_lifetime: Option<u64>,
}

impl<'a> Terms<'a> {
    /// Terms for an identity that asks for itself, in the home tenant.
    pub(crate) fn new(principal: &'a Principal, resource: &'a str) -> Self {
        Self {
            principal,
            resource,
            tenant: TENANT,
            app_id: principal.app_id,
            proof: if principal.who == Who::User { "0" } else { "2" },
            is_cae: false,
            max_lifetime: None,
        }
    }
}

/// Why a token is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The token is for this other audience.
    Audience(String),
    /// The token is from this other issuer.
    Issuer(String),
    Expired,
    Signature,
    Malformed,
}

type Digest = [u8; 32];

struct Verified {
    who: Who,
    audience: String,
    /// Expiry of the token, in seconds since 1970.
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
    /// An issuer with a new key, whose tokens are valid for so many seconds.
    pub(crate) fn new(lifetime: u64) -> Result<Self, StartError> {
        Ok(Self { signer: Signer::new()?, lifetime, verified: Mutex::default() })
    }

    /// A token for this identity and this resource; `None` only if the random source fails.
    pub(crate) fn issue(&self, principal: &Principal, resource: &str) -> Option<Token> {
        self.issue_as(&Terms::new(principal, resource))
    }

    /// A token with these contents; `None` only if the random source fails.
    pub(crate) fn issue_as(&self, terms: &Terms<'_>) -> Option<Token> {
        let lifetime = terms.max_lifetime.map_or(self.lifetime, |limit| limit.min(self.lifetime));
        let claims = Claims::new(terms, clock::now(), lifetime);
        let (not_before, expires) = (claims.nbf, claims.exp);
        Some(Token { secret: self.signer.sign(&claims)?, not_before, expires, lifetime })
    }

    pub(crate) fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The identity that a token belongs to, if this issuer signed it for this audience and it has
    /// not expired.
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

    /// Decodes a token and verifies its signature and issuer; [`Verified::check`] compares audience
    /// and expiry.
    fn decode(&self, token: &str) -> Result<Verified, Refusal> {
        let mut validation = Validation::new(signer::ALGORITHM);
        validation.validate_aud = false;
        validation.validate_exp = false;
        validation.validate_nbf = true;
        validation.leeway = 0;
        validation.set_required_spec_claims(&["aud", "exp", "iss", "nbf"]);
        let claims = decode::<Presented>(token, self.signer.verifying(), &validation)
            .map(|token| token.claims)
            .map_err(|error| match error.kind() {
                ErrorKind::InvalidSignature => Refusal::Signature,
                _ => Refusal::Malformed,
            })?;
        if claims.iss != issuer() {
            return Err(Refusal::Issuer(claims.iss));
        }
        let who = who_has_object_id(&claims.oid).ok_or(Refusal::Malformed)?;
        Ok(Verified { who, audience: claims.aud, expires: claims.exp })
    }

    fn verified(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Verified>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    /// The token's text, for the body of a response.
    pub(crate) fn expose(&self) -> &str {
        self.secret.expose_secret()
    }
}

/// The issuer whose tokens the vaults accept.
pub(crate) fn issuer() -> String {
    issuer_of(TENANT)
}

/// The issuer of a tenant's tokens.
pub(crate) fn issuer_of(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    appid: &'a str,
    appidacr: &'static str,
    idp: String,
    idtyp: &'static str,
    oid: &'static str,
    sub: &'static str,
    tid: &'a str,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    xms_cc: Option<[&'static str; 1]>,
}

impl<'a> Claims<'a> {
    fn new(terms: &Terms<'a>, now: u64, lifetime: u64) -> Self {
        let principal = terms.principal;
        let is_user = principal.who == Who::User;
        let user = |text| is_user.then_some(text);
        Self {
            aud: terms.resource,
            iss: issuer_of(terms.tenant),
            iat: now,
            nbf: now.saturating_sub(limits::TOKEN_BACKDATED),
            exp: now.saturating_add(lifetime),
            appid: terms.app_id,
            appidacr: terms.proof,
            idp: issuer_of(terms.tenant),
            idtyp: if is_user { "user" } else { "app" },
            oid: principal.object_id,
            sub: principal.object_id,
            tid: terms.tenant,
            uti: Uuid::new_v4().simple().to_string(),
            ver: "1.0",
            xms_mirid: (principal.who == Who::Managed).then(resource_id),
            scp: user("user_impersonation"),
            name: user("Local User"),
            unique_name: user(USER_NAME),
            upn: user(USER_NAME),
            xms_cc: terms.is_cae.then_some(["CP1"]),
        }
    }
}

/// The claims that a vault reads from a token.
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

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;
    use crate::directory::who::{MANAGED, USER};

    const VAULT: &str = "https://vault.azure.net";

    #[test]
    fn a_token_is_accepted_for_its_audience_only_each_time() {
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
    fn foreign_expired_and_altered_tokens_are_rejected_each_time() {
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
    fn a_token_is_rejected_after_expiry_although_it_was_verified_before() {
        let issuer = Issuer::new(60).unwrap();
        let token = issuer.issue(&MANAGED, VAULT).unwrap();
        assert_eq!(issuer.verify(token.expose(), VAULT), Ok(Who::Managed));
        for known in issuer.verified().values_mut() {
            known.expires = 1;
        }
        assert_eq!(issuer.verify(token.expose(), VAULT), Err(Refusal::Expired));
    }
}
