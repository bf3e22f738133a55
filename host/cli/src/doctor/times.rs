//! Times, as people and servers write them.

use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

/// Unix seconds in RFC 3339, or as they are where that has no such year.
pub(super) fn text(unix: u64) -> String {
    let time =
        i64::try_from(unix).ok().and_then(|unix| OffsetDateTime::from_unix_timestamp(unix).ok());
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| unix.to_string())
}

/// The Unix seconds of an HTTP date.
pub(super) fn parse(date: &str) -> Option<i64> {
    OffsetDateTime::parse(date, &Rfc2822).ok().map(OffsetDateTime::unix_timestamp)
}
