//! The `cache-control` of token responses, by which the host caches them.
//! <https://www.rfc-editor.org/rfc/rfc5861>

use alloc::{format, string::String};

use crate::{
    limits::{EXPIRY_MARGIN, FAILURE, RENEWAL_GAP},
    token::Token,
};

/// The `cache-control` of a token. `max-age` lasts until the proactive refresh, and for at least 30
/// s while the token is valid; `stale-while-revalidate` from then until 5 minutes before expiry;
/// `stale-if-error` until expiry.
pub(super) fn token_cache_control(token: &Token, now: i64) -> String {
    let left = token.expires_on.saturating_sub(now).max(0);
    let age = token.refresh_on.saturating_sub(now).max(RENEWAL_GAP).min(left);
    let revalidate = left.saturating_sub(EXPIRY_MARGIN).saturating_sub(age).max(0);
    let error = left.saturating_sub(age);
    format!("max-age={age}, stale-while-revalidate={revalidate}, stale-if-error={error}")
}

/// The `cache-control` of a failure: the time before the next attempt.
pub(super) fn failure_cache_control() -> String {
    format!("max-age={FAILURE}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::refresh_on;

    #[test]
    fn cache_control_follows_refresh_and_expiry() {
        for (life, refresh_in, expected) in [
            (86_400, None, "max-age=43200, stale-while-revalidate=42900, stale-if-error=43200"),
            (86_400, Some(100), "max-age=100, stale-while-revalidate=86000, stale-if-error=86300"),
            (3_600, None, "max-age=3300, stale-while-revalidate=0, stale-if-error=300"),
            (301, None, "max-age=30, stale-while-revalidate=0, stale-if-error=271"),
            (200, None, "max-age=30, stale-while-revalidate=0, stale-if-error=170"),
            (10, None, "max-age=10, stale-while-revalidate=0, stale-if-error=0"),
        ] {
            let now = 1_700_000_000;
            let token = Token {
                secret: "t".into(),
                expires_on: now + life,
                refresh_on: refresh_on(now, now + life, refresh_in),
                resource: String::new(),
                source: String::new(),
                endpoint: None,
                client_id: None,
                other: None,
            };
            assert_eq!(token_cache_control(&token, now), expected, "{life}");
        }
    }
}
