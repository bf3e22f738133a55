//! Authentication: the bearer token of a request, or a challenge that names the authority and the
//! resource of the token to send.
//!
//! <https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses>

use http::{HeaderMap, HeaderValue, header};

use super::errors::VaultError;
use crate::{
    directory::{
        token::{self, Issuer, Refusal},
        who::{TENANT, Who},
    },
    message::{self, Response},
};

/// The token audience of a vault's endpoint, with the challenge that asks for it.
pub(crate) struct Challenge {
    audience: String,
    header: HeaderValue,
}

impl Challenge {
    /// A challenge for a token from the authority at this host, for this audience.
    pub(crate) fn new(authority: &str, audience: String) -> Self {
        // The only form that every SDK parses: separated by comma and space, quoted, without scope.
        let text = format!(
            "Bearer authorization=\"https://{authority}/{TENANT}\", resource=\"{audience}\""
        );
        let header =
            HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
        Self { audience, header }
    }

    /// The identity whose token a request carries, or why there is no valid token.
    pub(super) fn authenticate(
        &self,
        issuer: &Issuer,
        headers: &HeaderMap,
    ) -> Result<Who, VaultError> {
        let message = match bearer(headers) {
            None => "AKV10000: Request is missing a Bearer or PoP token.".to_owned(),
            Some(token) => match issuer.verify(token, &self.audience) {
                Ok(who) => return Ok(who),
                Err(refusal) => self.explain(&refusal),
            },
        };
        Err(VaultError::unauthorized(message))
    }

    /// A response with status 401 and the challenge.
    pub(super) fn challenge(&self, error: VaultError) -> Response {
        let mut response = error.into_response();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, self.header.clone());
        response
    }

    fn explain(&self, refusal: &Refusal) -> String {
        match refusal {
            Refusal::Audience(found) => {
                let expected = &self.audience;
                format!("AKV10022: Invalid audience. Expected {expected}, found: {found}.")
            }
            Refusal::Issuer(found) => {
                let expected = token::issuer();
                format!("AKV10032: Invalid issuer. Expected {expected}, found {found}.")
            }
            Refusal::Signature => {
                "AKV10046: Unable to resolve the key used for signature validation.".to_owned()
            }
            // The real service's texts for these are not known.
            Refusal::Expired => "The token is expired.".to_owned(),
            Refusal::Malformed => "The token cannot be read.".to_owned(),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = message::header(headers, "authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
}
