//! Dates and times in all the forms that services write.

use alloc::{
    format,
    string::{String, ToString},
};

use time::{Date, Month, OffsetDateTime, Time};

/// Parses a time into Unix seconds: RFC 3339 (`2024-10-18T19:51:37.0000000+00:00`), of the two date
/// texts of App Service (`06/20/2019 02:57:58 +00:00`, `1/16/2020 5:24:12 AM +00:00`), of
/// `2006-01-02 15:04:05` (UTC), or of an HTTP date (`Wed, 21 Oct 2015 07:28:00 GMT`).
pub fn parse(text: &str) -> Option<i64> {
    if text.len() > 64 {
        return None;
    }
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let first = words.next()?;
    if first.ends_with(',') {
        return parse_http_date(words);
    }
    let (day, clock) = match first.split_once(['T', 't']) {
        Some((day, clock)) => (day, clock),
        None => (first, words.next()?),
    };
    let date = if day.contains('/') {
        let [month, day, year] = split_three(day, '/')?;
        date(year, month, day)?
    } else {
        let [year, month, day] = split_three(day, '-')?;
        date(year, month, day)?
    };
    let (clock, mut zone) = split_zone(clock);
    let (mut hour, minute, second) = parse_clock(clock)?;
    for word in words {
        match word {
            "AM" | "PM" if (1..=12).contains(&hour) => {
                hour = hour % 12 + if word == "PM" { 12 } else { 0 };
            }
            _ if zone.is_empty() => zone = word,
            _ => return None,
        }
    }
    let time = Time::from_hms(hour, minute, second).ok()?;
    let unix = date.with_time(time).assume_utc().unix_timestamp();
    Some(unix - offset(zone)?)
}

/// Writes Unix seconds as RFC 3339, or as a number if the year is beyond 9999.
pub fn text(unix: i64) -> String {
    match OffsetDateTime::from_unix_timestamp(unix) {
        Ok(at) if (0..=9999).contains(&at.year()) => {
            let ((year, month, day), (hour, minute, second)) = (at.to_calendar_date(), at.to_hms());
            let month = u8::from(month);
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
        }
        _ => unix.to_string(),
    }
}

/// Parses an HTTP date after the day of the week.
fn parse_http_date<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<i64> {
    let day = number(words.next()?)?;
    let month = match words.next()? {
        "Jan" => 1,
        "Feb" => 2,
        "Mar" => 3,
        "Apr" => 4,
        "May" => 5,
        "Jun" => 6,
        "Jul" => 7,
        "Aug" => 8,
        "Sep" => 9,
        "Oct" => 10,
        "Nov" => 11,
        "Dec" => 12,
        _ => return None,
    };
    let date = date(number(words.next()?)?, month, day)?;
    let (hour, minute, second) = parse_clock(words.next()?)?;
    let time = Time::from_hms(hour, minute, second).ok()?;
    matches!(words.next(), Some("GMT" | "UTC")).then_some(())?;
    Some(date.with_time(time).assume_utc().unix_timestamp())
}

fn date(year: u32, month: u32, day: u32) -> Option<Date> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let year = i32::try_from(year).ok().filter(|year| (1970..=9999).contains(year))?;
    Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()
}

/// Parses `HH:MM:SS`; a fraction is dropped.
fn parse_clock(text: &str) -> Option<(u8, u8, u8)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    number(fraction.get(..1)?).filter(|_| fraction.bytes().all(|b| b.is_ascii_digit()))?;
    let [hour, minute, second] = split_three(whole, ':')?;
    Some((u8::try_from(hour).ok()?, u8::try_from(minute).ok()?, u8::try_from(second).ok()?))
}

fn split_zone(text: &str) -> (&str, &str) {
    match text.find(['Z', 'z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    }
}

/// Parses a zone into seconds east of UTC; an empty one is UTC.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (_, Some(rest)) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 3600 + minutes * 60))
}

/// Splits a text into three numbers.
fn split_three(text: &str, separator: char) -> Option<[u32; 3]> {
    let mut parts = text.split(separator).map(number);
    let all = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(all)
}

/// Parses a number of digits only; `parse` alone would accept a sign.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn every_form_is_parsed() {
        for (text, unix) in [
            ("06/20/2019 02:57:58 +00:00", 1_560_999_478),
            ("1/16/2020 5:24:12 AM +00:00", 1_579_152_252),
            ("1/16/2020 5:24:12 PM +00:00", 1_579_195_452),
            ("1/16/2020 12:24:12 AM +00:00", 1_579_134_252),
            ("2024-10-18T19:51:37.0000000+00:00", 1_729_281_097),
            ("2024-10-18T21:51:37+02:00", 1_729_281_097),
            ("2024-10-18T17:51:37-02:00", 1_729_281_097),
            ("2024-10-18T19:51:37Z", 1_729_281_097),
            ("2024-10-18 19:51:37", 1_729_281_097),
            ("Wed, 21 Oct 2015 07:28:00 GMT", 1_445_412_480),
        ] {
            assert_eq!(parse(text), Some(unix), "{text}");
        }
    }

    #[test]
    fn malformed_dates_are_refused() {
        for text in [
            "",
            " ",
            "x",
            "2024-13-01T00:00:00Z",
            "2024-02-30T00:00:00Z",
            "2024-02-03",
            "T",
            "2024-02-03T25:00:00Z",
            "2024-02-03T00:00:00.Z",
            "2024-02-03T00:00:00+99:00",
            "1/16/2020 13:24:12 AM +00:00",
            "1/2/3/4 1:1:1",
            "-1/-1/-1 -1:-1:-1",
            "+2024-02-03T00:00:00Z",
            "Wed, 21 Foo 2015 07:28:00 GMT",
            "Wed, 21 Oct 2015 07:28:00 EST",
            "99999999999-01-01T00:00:00Z",
            "2024-10-18T19:51:37Z junk Z",
            "２０２４-10-18T19:51:37Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
