//! Asking again: which answers pass, how long to wait, when to give up.

use alloc::format;
use core::time::Duration;

use crate::{
    call::Call,
    context::{Context, Request, Response, SendError},
    error::{Error, Id},
    limits::{Retries, TRANSPORT_BASE, TRANSPORT_TRIES},
    words::date,
};

/// Why there is no answer to judge.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// No answer at all.
    Send(SendError),
    /// The service asks for more patience than the call has.
    Patience {
        /// With this status.
        status: u16,
        /// For so long.
        after: Duration,
    },
    /// The call's time has run out.
    TimeUp,
}

/// What a kind of server's failures to answer are called.
pub(crate) struct Ids {
    pub(crate) throttled: Id,
    pub(crate) unexpected: Id,
    pub(crate) unreachable: Id,
}

impl Stopped {
    /// The same as an error of what was being done at that authority.
    pub(crate) fn explain(self, doing: &str, authority: &str, ids: &Ids) -> Error {
        match self {
            Self::TimeUp => Error::new(Id::Timeout, format!("{doing}: the time has run out")),
            Self::Patience { status, after } => patience(doing, status, Some(after), ids),
            Self::Send(error) => {
                let id = match error {
                    SendError::Denied => Id::EgressDenied,
                    SendError::TlsUntrusted => Id::CertificateUntrusted,
                    SendError::BodyTooLarge => ids.unexpected,
                    _ => ids.unreachable,
                };
                Error::new(id, format!("{doing}: {}", error.describe(authority)))
            }
        }
    }
}

/// It asks to be left alone, longer than we can wait or again and again.
pub(crate) fn patience(doing: &str, status: u16, after: Option<Duration>, ids: &Ids) -> Error {
    let mut error = Error::new(ids.throttled, format!("{doing}: it asks for patience"))
        .with_answer(status, None);
    error.retry_after_ms = after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
    error
}

/// Sends, and sends again as `retries` says. An answer that is still a failure at the end is an
/// answer. `build` makes each request anew: no copy of a secret waits between tries.
pub(crate) fn send<C: Context>(
    call: &Call<'_, C>,
    retries: &Retries,
    build: &dyn Fn() -> Request,
) -> Result<Response, Stopped> {
    let mut answered = 0;
    let mut unanswered = 0;
    loop {
        let remaining = call.remaining();
        if remaining.is_zero() {
            return Err(Stopped::TimeUp);
        }
        let mut request = build();
        request.connect_timeout = request.connect_timeout.min(remaining);
        request.first_byte_timeout = request.first_byte_timeout.min(remaining);
        request.total_timeout = request.total_timeout.min(remaining);
        match call.context.send(request) {
            Ok(response) => {
                let passing = (retries.passing)(response.status);
                let after = if response.status >= 400 && retries.count > 0 {
                    retry_after(&response, call.context.now())
                } else {
                    None
                };
                if !passing || answered >= retries.count {
                    return Ok(response);
                }
                let delay = match after {
                    Some(after) if after >= call.remaining() => {
                        return Err(Stopped::Patience { status: response.status, after });
                    }
                    Some(after) => after,
                    None => {
                        let base = match retries.gone {
                            Some(gone) if response.status == 410 => gone,
                            _ => retries.base,
                        };
                        jittered(call, backoff(base, answered).min(retries.cap))
                    }
                };
                if delay >= call.remaining() {
                    return Ok(response);
                }
                answered += 1;
                drop(response);
                call.context.wait(delay);
            }
            Err(SendError::Timeout) if call.remaining().is_zero() => return Err(Stopped::TimeUp),
            Err(error) => {
                let tries = if retries.count == 0 { 0 } else { tries(&error) };
                let delay = jittered(call, backoff(TRANSPORT_BASE, unanswered));
                if unanswered >= tries || delay >= call.remaining() {
                    return Err(Stopped::Send(error));
                }
                unanswered += 1;
                call.context.wait(delay);
            }
        }
    }
}

/// How long the service asks to be left alone: `retry-after` (seconds or a date), or one of the two
/// headers in milliseconds. None when there is no such header or it is nonsense.
/// <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>
pub(crate) fn retry_after(response: &Response, now: i64) -> Option<Duration> {
    for name in ["retry-after-ms", "x-ms-retry-after-ms"] {
        if let Some(ms) = response.header(name).and_then(digits) {
            return Some(Duration::from_millis(ms));
        }
    }
    let text = response.header("retry-after")?.trim();
    if let Some(seconds) = digits(text) {
        return Some(Duration::from_secs(seconds));
    }
    let wait = date::parse(text)?.saturating_sub(now);
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

/// Digits; a number that is too large is the largest.
fn digits(text: &str) -> Option<u64> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

fn tries(error: &SendError) -> u32 {
    match error {
        SendError::Refused
        | SendError::Unreachable
        | SendError::Name
        | SendError::TlsProtocol
        | SendError::Protocol(_) => TRANSPORT_TRIES,
        // It has cost its time already.
        SendError::Timeout => 1,
        SendError::TlsUntrusted | SendError::Denied | SendError::BodyTooLarge => 0,
    }
}

fn backoff(base: Duration, tried: u32) -> Duration {
    base.saturating_mul(2_u32.saturating_pow(tried))
}

/// Up to 30 % longer, so that many do not come back at once; never shorter than what was published.
fn jittered<C: Context>(call: &Call<'_, C>, delay: Duration) -> Duration {
    let mut byte = [0];
    call.context.random(&mut byte);
    let [byte] = byte;
    delay + delay.saturating_mul(u32::from(byte)) * 3 / 2560
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_retry_after_is_read() {
        let now = 1_445_412_480;
        for (name, value, expected) in [
            ("retry-after", "7", Some(7_000)),
            ("retry-after", " 7 ", Some(7_000)),
            ("retry-after", "0", Some(0)),
            ("retry-after-ms", "70", Some(70)),
            ("x-ms-retry-after-ms", "80", Some(80)),
            ("retry-after", "Wed, 21 Oct 2015 07:28:09 GMT", Some(9_000)),
            ("retry-after", "Wed, 21 Oct 2015 07:27:00 GMT", Some(0)),
            ("retry-after", "soon", None),
            ("retry-after", "-1", None),
            ("retry-after", "", None),
        ] {
            let response = Response {
                status: 429,
                headers: vec![(name.into(), value.into())],
                body: Vec::new().into(),
            };
            let wait = retry_after(&response, now);
            assert_eq!(wait, expected.map(Duration::from_millis), "{name}: {value}");
        }
        assert_eq!(digits("99999999999999999999999"), Some(u64::MAX));
    }
}
