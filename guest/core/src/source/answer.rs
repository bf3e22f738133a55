//! Token responses of local identity endpoints, the authority and developers' tools, in every known form.

use crate::{
    token::{is_token, refresh_on},
    words::{
        date,
        json::{self, Value},
        secret::SecretString,
    },
};

/// A token with its expiry and its refresh time.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) secret: SecretString,
    pub(super) expires_on: i64,
    pub(super) refresh_on: i64,
}

/// Parses a token response. The error says what is wrong without quoting the body.
pub(super) fn parse(body: &[u8], now: i64) -> Result<Answer, &'static str> {
    let body = json::parse(body).ok_or("its answer is not JSON")?;
    let secret = body
        .secret("access_token")
        .or_else(|| body.secret("token"))
        .or_else(|| body.secret("accessToken"))
        .filter(|token| is_token(token.reveal()))
        .ok_or("its answer has no token")?;
    // A client must not use a token of a type that it does not know (RFC 6749, section 7.1). Local endpoints
    // may leave the type out.
    for kind in ["token_type", "tokenType"] {
        let kind = body.get(kind).filter(|kind| !kind.is_null());
        let is_bearer = |kind: &Value<'_>| {
            kind.as_text().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("bearer"))
        };
        if kind.is_some_and(|kind| !is_bearer(kind)) {
            return Err("its token is not a bearer token: the `token_type` is another");
        }
    }
    let lifetime = seconds(&body, "expires_in");
    let by_lifetime = lifetime.map(|lifetime| now.saturating_add(lifetime));
    let expires_on = unix(&body, "expires_on")
        .or_else(|| unix(&body, "expiresOn"))
        // Nobody gives out an expired token with a lifetime: this machine's clock is ahead.
        .filter(|expires_on| *expires_on > now || lifetime.is_none_or(|lifetime| lifetime == 0))
        .or(by_lifetime)
        .ok_or("its answer does not say when the token expires")?;
    if expires_on <= now {
        return Err("the token that it gave has expired, or this machine's clock is ahead");
    }
    let refresh_on = refresh_on(now, expires_on, seconds(&body, "refresh_in"));
    Ok(Answer { secret, expires_on, refresh_on })
}

/// A member that is a number of seconds, or a text with one.
fn seconds(body: &Value<'_>, name: &str) -> Option<i64> {
    body.integer(name)
        .or_else(|| json::whole(body.text(name)?.trim()))
        // The last second of the year 9999.
        .filter(|seconds| (0..=253_402_300_799).contains(seconds))
}

/// A member that is a time: Unix seconds or a date.
fn unix(body: &Value<'_>, name: &str) -> Option<i64> {
    seconds(body, name).or_else(|| date::parse(body.text(name)?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    #[test]
    fn every_form_of_expiry_is_parsed() {
        for (fields, expires_on) in [
            (r#""expires_on":1700003600"#, NOW + 3600),
            (r#""expires_on":"1700003600""#, NOW + 3600),
            (r#""expires_on":1700003600.0"#, NOW + 3600),
            (r#""expires_in":3600"#, NOW + 3600),
            (r#""expires_in":"3600""#, NOW + 3600),
            (r#""expires_on":"","expires_in":"3600""#, NOW + 3600),
            (r#""expires_on":null,"expires_in":"3600""#, NOW + 3600),
            (r#""expires_on":"1700003600","expires_in":7"#, NOW + 3600),
            (r#""expiresOn":"2023-11-14T23:13:20Z""#, NOW + 3600),
            (r#""expires_on":"11/14/2023 23:13:20 +00:00""#, NOW + 3600),
            (r#""expires_on":"11/14/2023 11:13:20 PM +00:00""#, NOW + 3600),
            (r#""expires_on":"2023-11-14T23:13:20.0000000+00:00""#, NOW + 3600),
        ] {
            for name in ["access_token", "token"] {
                let body = format!(r#"{{"{name}":"a.b-c","resource":"x",{fields}}}"#);
                let answer = parse(body.as_bytes(), NOW).expect(&body);
                assert_eq!(answer.expires_on, expires_on, "{body}");
                assert_eq!(answer.secret.reveal(), "a.b-c");
            }
        }
    }

    #[test]
    fn refresh_is_as_stated_or_at_half_of_a_long_lifetime_or_five_minutes_before_expiry() {
        for (fields, refresh_on) in [
            (r#""expires_in":86400"#, NOW + 43_200),
            (r#""expires_in":7200"#, NOW + 3600),
            (r#""expires_in":7199"#, NOW + 6899),
            (r#""expires_in":200"#, NOW - 100),
            (r#""expires_in":86400,"refresh_in":"100""#, NOW + 100),
            (r#""expires_in":86400,"refresh_in":90000"#, NOW + 43_200),
            (r#""expires_in":86400,"refresh_in":0"#, NOW + 43_200),
        ] {
            let body = format!(r#"{{"access_token":"t",{fields}}}"#);
            assert_eq!(parse(body.as_bytes(), NOW).unwrap().refresh_on, refresh_on, "{body}");
        }
    }

    #[test]
    fn malformed_responses_are_refused_without_quoting_them() {
        for (body, why) in [
            ("", "its answer is not JSON"),
            ("<html>hunter2</html>", "its answer is not JSON"),
            (r#"{"access_token":"hunter2"#, "its answer is not JSON"),
            (r#"["hunter2"]"#, "its answer has no token"),
            (r#"{"foo":1}"#, "its answer has no token"),
            (r#"{"access_token":""}"#, "its answer has no token"),
            (r#"{"access_token":"hunter2\r\nx: y","expires_in":1}"#, "its answer has no token"),
            (r#"{"access_token":7}"#, "its answer has no token"),
            (r#"{"access_token":"t"}"#, "its answer does not say when the token expires"),
            (
                r#"{"access_token":"t","expires_on":"soon"}"#,
                "its answer does not say when the token expires",
            ),
            (
                r#"{"access_token":"t","expires_in":-1}"#,
                "its answer does not say when the token expires",
            ),
            (
                r#"{"access_token":"t","expires_on":1e300}"#,
                "its answer does not say when the token expires",
            ),
            (
                r#"{"access_token":"t","expires_on":99999999999999999999999}"#,
                "its answer does not say when the token expires",
            ),
            (
                r#"{"access_token":"t","expires_on":1}"#,
                "the token that it gave has expired, or this machine's clock is ahead",
            ),
            (
                r#"{"access_token":"t","expires_in":{}}"#,
                "its answer does not say when the token expires",
            ),
        ] {
            let error = parse(body.as_bytes(), NOW).expect_err(body);
            assert_eq!(error, why, "{body}");
        }
        assert!(parse(b"{\"access_token\":\"\xff\",\"expires_in\":9}", NOW).is_err());
    }
}
