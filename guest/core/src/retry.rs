//! Retries: which failures are transient, how long to wait, when to give up.

use alloc::format;
use core::time::Duration;

use crate::{
    call::Call,
    context::{Context, Request, Response, SendError},
    error::{Error, Id},
    limits::{PROBE, Retries, TRANSPORT_BASE, TRANSPORT_TRIES},
    words::date,
};

/// Why sending ended without a final response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// No attempt got a response.
    Send(SendError),
    /// The service asks the caller to wait for longer than the call may take.
    Throttled {
        /// The status of the response.
        status: u16,
        /// The time that the service asks to wait.
        after: Duration,
    },
    /// The time of the call has run out.
    TimedOut,
}

/// The error ids of one kind of server.
pub(crate) struct ErrorIds {
    pub(crate) throttled: Id,
    pub(crate) unexpected: Id,
    pub(crate) unreachable: Id,
}

impl Stopped {
    /// The error; `doing` begins the message, `server` is host and port.
    pub(crate) fn into_error(self, doing: &str, server: &str, ids: &ErrorIds) -> Error {
        match self {
            Self::TimedOut => Error::new(Id::Timeout, format!("{doing}: the time has run out")),
            Self::Throttled { status, after } => throttled_error(doing, status, Some(after), ids),
            Self::Send(error) => {
                let id = match error {
                    SendError::Denied => Id::EgressDenied,
                    SendError::TlsUntrusted => Id::CertificateUntrusted,
                    SendError::BodyTooLarge => ids.unexpected,
                    _ => ids.unreachable,
                };
                Error::new(id, format!("{doing}: {}", error.describe(server)))
            }
        }
    }
}

/// The error of a service that throttles requests, after the last retry or for longer than the call may
/// take.
pub(crate) fn throttled_error(
    doing: &str,
    status: u16,
    after: Option<Duration>,
    ids: &ErrorIds,
) -> Error {
    let mut error = Error::new(ids.throttled, format!("{doing}: it is throttling requests"))
        .with_answer(status, None);
    error.retry_after_ms = after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
    error
}

/// Sends a request, and retries transient failures as `retries` says. After the last attempt a failed
/// response is returned as it is. `build` makes a request for each attempt, so that no copy of a secret
/// stays in memory between attempts.
pub(crate) fn send<C: Context>(
    call: &Call<'_, C>,
    retries: &Retries,
    build: &dyn Fn() -> Request,
) -> Result<Response, Stopped> {
    let mut retried_responses = 0;
    let mut retried_errors = 0;
    loop {
        let remaining = call.remaining();
        if remaining.is_zero() {
            return Err(Stopped::TimedOut);
        }
        let mut request = build();
        request.connect_timeout = request.connect_timeout.min(remaining);
        request.first_byte_timeout = request.first_byte_timeout.min(remaining);
        request.total_timeout = request.total_timeout.min(remaining);
        // A server that is not there within the time of a probe is not tried again.
        let probed = (request.connect_timeout <= PROBE)
            .then(|| call.context.monotonic().saturating_add(request.connect_timeout));
        match call.context.send(request) {
            Ok(response) => {
                let after = if response.status >= 400 && retries.count > 0 {
                    retry_after(&response, call.context.now())
                } else {
                    None
                };
                let asks_once =
                    retries.once_after_400 && response.status == 400 && retried_responses == 0;
                let transient =
                    (retries.transient)(response.status) || (asks_once && after.is_some());
                if !transient || retried_responses >= retries.count {
                    return Ok(response);
                }
                let delay = match after {
                    Some(after) if after >= call.remaining() => {
                        return Err(Stopped::Throttled { status: response.status, after });
                    }
                    Some(after) => after,
                    None => {
                        let base = match retries.gone {
                            Some(gone) if response.status == 410 => gone,
                            _ => retries.base,
                        };
                        jittered(call, backoff(base, retried_responses).min(retries.cap))
                    }
                };
                if delay >= call.remaining() {
                    return Ok(response);
                }
                retried_responses += 1;
                drop(response);
                call.context.wait(delay);
            }
            Err(SendError::Timeout) if call.remaining().is_zero() => return Err(Stopped::TimedOut),
            Err(error) => {
                let is_probe = error == SendError::Timeout
                    && probed.is_some_and(|end| call.context.monotonic() <= end + TRANSPORT_BASE);
                let limit = if retries.count == 0 || is_probe { 0 } else { retry_limit(&error) };
                let delay = jittered(call, backoff(TRANSPORT_BASE, retried_errors));
                if retried_errors >= limit || delay >= call.remaining() {
                    return Err(Stopped::Send(error));
                }
                retried_errors += 1;
                call.context.wait(delay);
            }
        }
    }
}

/// The time that a service asks the caller to wait: `retry-after` (seconds or a date), or one of the two
/// headers in milliseconds. None if there is no such header, or it is malformed.
/// <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>
pub(crate) fn retry_after(response: &Response, now: i64) -> Option<Duration> {
    for name in ["retry-after-ms", "x-ms-retry-after-ms"] {
        if let Some(ms) = response.header(name).and_then(parse_digits) {
            return Some(Duration::from_millis(ms));
        }
    }
    let text = response.header("retry-after")?.trim();
    if let Some(seconds) = parse_digits(text) {
        return Some(Duration::from_secs(seconds));
    }
    let wait = date::parse(text)?.saturating_sub(now);
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

/// Parses a number of digits only; one that is too large becomes the largest.
fn parse_digits(text: &str) -> Option<u64> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

/// How often an error without a response is retried.
fn retry_limit(error: &SendError) -> u32 {
    match error {
        SendError::Refused
        | SendError::Unreachable
        | SendError::Name
        | SendError::TlsProtocol
        | SendError::Protocol(_) => TRANSPORT_TRIES,
        // A timeout has already taken its time.
        SendError::Timeout => 1,
        SendError::TlsUntrusted | SendError::Denied | SendError::BodyTooLarge => 0,
    }
}

/// The delay before the next attempt, without jitter.
fn backoff(base: Duration, retried: u32) -> Duration {
    base.saturating_mul(2_u32.saturating_pow(retried))
}

/// Makes a delay up to 30 % longer, so that many clients do not retry at the same moment. A delay
/// is never shorter than the published one.
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
        assert_eq!(parse_digits("99999999999999999999999"), Some(u64::MAX));
    }
}
