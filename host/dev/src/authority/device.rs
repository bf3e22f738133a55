//! Device codes: asked for, polled, and approved by a person.
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

use super::{Place, errors::Trouble, scope::Wanted};
use crate::{
    clock, limits,
    message::{self, Answer, Query},
};

/// What a person says to a code.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Verdict {
    pub(crate) user_code: String,
    pub(crate) approve: bool,
}

/// The codes that are under way.
pub(crate) struct Devices {
    /// Seconds that a code can be approved.
    lifetime: u64,
    /// Seconds between two polls.
    interval: u64,
    /// By device code.
    pending: Mutex<HashMap<String, Pending>>,
}

struct Pending {
    user_code: String,
    app_id: &'static str,
    tenant: &'static str,
    wanted: Wanted,
    /// Milliseconds since 1970.
    expires: u64,
    polled: Option<u64>,
    interval: u64,
    verdict: Option<bool>,
}

impl Devices {
    pub(crate) fn new(lifetime: u64, interval: u64) -> Self {
        Self { lifetime, interval, pending: Mutex::default() }
    }

    /// A new code for this client.
    pub(super) fn begin(
        &self,
        place: &Place,
        app_id: &'static str,
        tenant: &'static str,
        wanted: Wanted,
    ) -> Answer {
        let (device_code, user_code) = (Uuid::new_v4().simple().to_string(), user_code());
        let page = &place.device_page;
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
                wanted,
                expires,
                polled: None,
                interval: self.interval,
                verdict: None,
            },
        );
        message::json(StatusCode::OK, &body, 0)
    }

    /// What the code was asked for, if it was approved; once, then it is gone.
    pub(super) fn poll(&self, code: &str, app_id: &str, tenant: &str) -> Result<Wanted, Trouble> {
        let mut all = self.pending();
        let pending = all
            .get_mut(code)
            .filter(|it| it.app_id == app_id && it.tenant == tenant)
            .ok_or_else(|| Trouble::new(70018))?;
        let now = clock::now_ms();
        if pending.expires <= now {
            return Err(Trouble::new(70020));
        }
        match pending.verdict {
            Some(is_approved) => {
                let decided = all.remove(code).filter(|_| is_approved);
                decided.map(|decided| decided.wanted).ok_or_else(|| Trouble::new(65004))
            }
            None => {
                let least = pending.interval.saturating_mul(1000);
                let is_early =
                    pending.polled.is_some_and(|before| now < before.saturating_add(least));
                pending.polled = Some(now);
                if is_early {
                    pending.interval = pending.interval.saturating_add(limits::SLOW_DOWN);
                    return Err(Trouble::slow_down());
                }
                Err(Trouble::new(70016))
            }
        }
    }

    /// What a person says; false if no such code waits for it.
    pub(crate) fn decide(&self, verdict: &Verdict) -> bool {
        let (now, code) = (clock::now_ms(), verdict.user_code.trim());
        let mut all = self.pending();
        let found = all.values_mut().find(|it| {
            it.user_code.eq_ignore_ascii_case(code) && it.expires > now && it.verdict.is_none()
        });
        found.map(|pending| pending.verdict = Some(verdict.approve)).is_some()
    }

    /// The page on which a person says it.
    pub(super) fn page(
        &self,
        method: &Method,
        place: &Place,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Answer {
        // Another site's page must not approve anything.
        let foreign = message::header(headers, "origin").is_some_and(|it| it != place.origin);
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
        let verdict = Verdict {
            user_code: form.get("userCode").unwrap_or_default().to_owned(),
            approve: form.get("approve") == Some("true"),
        };
        if self.decide(&verdict) {
            message::html(StatusCode::OK, "<!doctype html><p>Done. You can close this page.</p>\n")
        } else {
            message::html(StatusCode::NOT_FOUND, "<!doctype html><p>No such code waits.</p>\n")
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

/// Nine letters that are not mistaken for each other.
fn user_code() -> String {
    const LETTERS: &[u8; 16] = b"BCDFGHJKLMNPRSTX";
    let letter = |byte: &u8| LETTERS.get(usize::from(byte & 15)).map(|it| char::from(*it));
    // The bytes of a random id that are random in all of their low bits.
    Uuid::new_v4()
        .as_bytes()
        .iter()
        .rev()
        .take(7)
        .chain(Uuid::new_v4().as_bytes().iter().take(2))
        .filter_map(letter)
        .collect()
}
