//! Device codes: a program requests one and polls, and a user approves or declines it.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code>

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{endpoint::Endpoint, errors::OAuthError, scope::Scopes};
use crate::{
    clock, limits,
    message::{self, Query, Response},
};

/// A user's decision on a device code.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Decision {
    pub(crate) user_code: String,
    pub(crate) approve: bool,
}

/// The device codes that have not been redeemed.
pub(crate) struct DeviceCodes {
    /// Lifetime of a code in seconds.
    lifetime: u64,
    /// Seconds between two polls.
    interval: u64,
    /// Pending codes, by device code.
    pending: Mutex<HashMap<String, Pending>>,
}

struct Pending {
    user_code: String,
    app_id: &'static str,
    tenant: &'static str,
    scopes: Scopes,
    /// Expiry, in milliseconds since 1970.
    expires: u64,
    /// The last poll, in milliseconds since 1970.
    polled: Option<u64>,
    interval: u64,
    is_approved: Option<bool>,
}

impl DeviceCodes {
    pub(crate) fn new(lifetime: u64, interval: u64) -> Self {
        Self { lifetime, interval, pending: Mutex::default() }
    }

    /// Creates a code for a client, and answers with it.
    pub(super) fn begin(
        &self,
        endpoint: &Endpoint,
        app_id: &'static str,
        tenant: &'static str,
        scopes: Scopes,
    ) -> Response {
        let (device_code, user_code) = (Uuid::new_v4().simple().to_string(), user_code());
        let page = &endpoint.device_page;
        let body = json!({
            "user_code": user_code,
            "device_code": device_code,
            "verification_uri": page,
            "expires_in": self.lifetime,
            "interval": self.interval,
            "message": format!(
                "To sign in, use a web browser to open the page {page} and enter the code \
                 {user_code} to authenticate."
            ),
        });
        let expires = clock::now_ms().saturating_add(self.lifetime.saturating_mul(1000));
        let mut pending = self.pending();
        if pending.len() >= limits::VERIFIED_TOKENS {
            pending.clear();
        }
        pending.insert(
            device_code,
            Pending {
                user_code,
                app_id,
                tenant,
                scopes,
                expires,
                polled: None,
                interval: self.interval,
                is_approved: None,
            },
        );
        message::json(StatusCode::OK, &body, 0)
    }

    /// The scopes of an approved code, which is used up then.
    pub(super) fn poll(
        &self,
        code: &str,
        app_id: &str,
        tenant: &str,
    ) -> Result<Scopes, OAuthError> {
        let mut all = self.pending();
        let pending = all
            .get_mut(code)
            .filter(|it| it.app_id == app_id && it.tenant == tenant)
            .ok_or_else(|| OAuthError::new(70018))?;
        let now = clock::now_ms();
        if pending.expires <= now {
            return Err(OAuthError::new(70020));
        }
        match pending.is_approved {
            Some(is_approved) => {
                let decided = all.remove(code).filter(|_| is_approved);
                decided.map(|decided| decided.scopes).ok_or_else(|| OAuthError::new(65004))
            }
            None => {
                let least = pending.interval.saturating_mul(1000);
                let is_early =
                    pending.polled.is_some_and(|before| now < before.saturating_add(least));
                pending.polled = Some(now);
                if is_early {
                    pending.interval = pending.interval.saturating_add(limits::SLOW_DOWN);
                    return Err(OAuthError::slow_down());
                }
                Err(OAuthError::new(70016))
            }
        }
    }

    /// Records a user's decision; false if no such code is pending.
    pub(crate) fn decide(&self, decision: &Decision) -> bool {
        let (now, code) = (clock::now_ms(), decision.user_code.trim());
        let mut all = self.pending();
        let found = all.values_mut().find(|it| {
            it.user_code.eq_ignore_ascii_case(code) && it.expires > now && it.is_approved.is_none()
        });
        found.map(|pending| pending.is_approved = Some(decision.approve)).is_some()
    }

    /// The web page on which a user decides.
    pub(super) fn page(
        &self,
        method: &Method,
        endpoint: &Endpoint,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Response {
        // A page of another site must not approve a code.
        let foreign = message::header(headers, "origin").is_some_and(|it| it != endpoint.origin);
        if foreign {
            return message::empty(StatusCode::FORBIDDEN);
        }
        if *method == Method::GET {
            return message::html(StatusCode::OK, PAGE);
        }
        if *method != Method::POST {
            return message::empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        let form = Query::parse_bytes(body);
        let decision = Decision {
            user_code: form.get("userCode").unwrap_or_default().to_owned(),
            approve: form.get("approve") == Some("true"),
        };
        if self.decide(&decision) {
            message::html(StatusCode::OK, "<!doctype html><p>Done. You can close this page.</p>\n")
        } else {
            message::html(StatusCode::NOT_FOUND, "<!doctype html><p>No such code is waiting.</p>\n")
        }
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<String, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const PAGE: &str = "<!doctype html>
<meta charset=\"utf-8\"><title>The local Azure: enter code</title>
<form method=\"post\" action=\"/device\">
<label>Code <input name=\"userCode\" autocomplete=\"off\" autofocus></label>
<button name=\"approve\" value=\"true\">Sign in as user@vaultlet.example</button>
<button name=\"approve\" value=\"false\">Decline</button>
</form>
";

/// Nine random letters, none of which is mistaken for another.
fn user_code() -> String {
    const LETTERS: &[u8; 16] = b"BCDFGHJKLMNPRSTX";
    let letter = |byte: &u8| LETTERS.get(usize::from(byte & 15)).map(|it| char::from(*it));
    // The bytes of two random ids whose low bits are all random.
    Uuid::new_v4()
        .as_bytes()
        .iter()
        .rev()
        .take(7)
        .chain(Uuid::new_v4().as_bytes().iter().take(2))
        .filter_map(letter)
        .collect()
}
