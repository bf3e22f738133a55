//! Authentication: the bearer token of a request, or the challenge that says which one is wanted.
//!
//! <https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses>

use http::{HeaderMap, HeaderValue, header};

use super::errors::Problem;
use crate::{
    identity::{
        TENANT, Who,
        token::{self, Issuer, Refusal},
    },
    message::{self, Answer},
};

/// What one way into a vault asks for.
pub(crate) struct Challenge {
    audience: String,
    header: HeaderValue,
}

impl Challenge {
    /// Asks for a token of this authority's host for this audience.
    pub(crate) fn new(authority: &str, audience: String) -> Self {
        // The one form that every SDK parses: a comma and a space, quotes, no scope.
        let text = format!(
            "Bearer authorization=\"https://{authority}/{TENANT}\", resource=\"{audience}\""
        );
        let header =
            HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
        Self { audience, header }
    }

    /// Whose token came along, or why there is none to go by.
    pub(super) fn authenticate(
        &self,
        issuer: &Issuer,
        headers: &HeaderMap,
    ) -> Result<Who, Problem> {
        let message = match bearer(headers) {
            None => "AKV10000: Request is missing a Bearer or PoP token.".to_owned(),
            Some(token) => match issuer.verify(token, &self.audience) {
                Ok(who) => return Ok(who),
                Err(refusal) => self.explain(&refusal),
            },
        };
        Err(Problem::unauthorized(message))
    }

    /// The 401 that asks for a token.
    pub(super) fn challenge(&self, problem: Problem) -> Answer {
        let mut answer = problem.into_answer();
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, self.header.clone());
        answer
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
