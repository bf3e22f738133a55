//! Properties of dates: every second parses back from every form that services write.

use proptest::prelude::*;
use time::OffsetDateTime;

use core::time::Duration;

use super::*;
use crate::{context::Response, retry::retry_after, testing::START, words::date};

/// The last second of 9999.
const LAST: i64 = 253_402_300_799;
/// The largest distance of a zone from UTC.
const DAY: i64 = 86_400;

/// A time in each of the forms, `east` seconds from UTC where the form has a zone.
fn forms(unix: i64, east: i64) -> Vec<String> {
    let at = |unix: i64| OffsetDateTime::from_unix_timestamp(unix).unwrap();
    let (utc, local) = (at(unix), at(unix + east));
    let sign = if east < 0 { '-' } else { '+' };
    let (hours, minutes) = (east.abs() / 3600, east.abs() / 60 % 60);
    let zone = format!("{sign}{hours:02}:{minutes:02}");
    let date = |at: OffsetDateTime| {
        format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day())
    };
    let clock =
        |at: OffsetDateTime| format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second());
    let american = format!("{}/{}/{}", u8::from(local.month()), local.day(), local.year());
    let half = if local.hour() < 12 { "AM" } else { "PM" };
    let twelve = (local.hour() + 11) % 12 + 1;
    let name = |text: String| text.chars().take(3).collect::<String>();
    vec![
        format!("{}T{}Z", date(utc), clock(utc)),
        format!("{}T{}{zone}", date(local), clock(local)),
        format!("{}T{}.0000000{zone}", date(local), clock(local)),
        format!("{} {}", date(utc), clock(utc)),
        format!("{} {}.123456", date(utc), clock(utc)),
        format!("{american} {} {zone}", clock(local)),
        format!("{american} {twelve}:{:02}:{:02} {half} {zone}", local.minute(), local.second()),
        format!(
            "{}, {:02} {} {:04} {} GMT",
            name(utc.weekday().to_string()),
            utc.day(),
            name(utc.month().to_string()),
            utc.year(),
            clock(utc)
        ),
    ]
}

fn waiting(value: &str, now: i64) -> Option<Duration> {
    let headers = vec![("retry-after".into(), value.into())];
    retry_after(&Response { status: 429, headers, body: Vec::new().into() }, now)
}

proptest! {
    #[test]
    fn every_second_parses_back_in_every_form(
        unix in DAY..=LAST - DAY,
        minutes in -24 * 60 + 1..24 * 60_i64,
    ) {
        for text in forms(unix, minutes * 60) {
            prop_assert_eq!(date::parse(&text), Some(unix), "{}", text);
        }
    }

    #[test]
    fn expiry_is_parsed_as_number_text_and_date(life in 1..LAST - START - DAY) {
        let end = START + life;
        let quoted = forms(end, 0).into_iter().map(|text| format!("\"{text}\""));
        for text in quoted.chain([format!("{end}"), format!("\"{end}\""), format!("{end}.0")]) {
            let body = format!(r#"{{"access_token":"T0KEN.a-b_c","expires_on":{text}}}"#);
            let world = ScriptedContext::new(&ML).answer(ML_REQUEST, 200, &[], body);
            let token = ask(&world, &Memory::default()).unwrap();
            prop_assert_eq!(token.expires_on, end, "{}", text);
            prop_assert!(token.refresh_on < end);
        }
    }

    #[test]
    fn retry_after_is_parsed_in_every_form(now in DAY..LAST / 2, wait in 0..1_000_000_000_i64) {
        let seconds = Duration::from_secs(wait.unsigned_abs());
        prop_assert_eq!(waiting(&format!(" {wait} "), now), Some(seconds));
        for date in forms(now + wait, 0) {
            prop_assert_eq!(waiting(&date, now), Some(seconds), "{}", date);
        }
        // A date in the past means no delay.
        for date in forms(now - wait.min(now - DAY), 0) {
            prop_assert_eq!(waiting(&date, now), Some(Duration::ZERO), "{}", date);
        }
    }

    #[test]
    fn no_text_makes_the_date_parser_panic(text in ".{0,80}") {
        date::parse(&text);
        waiting(&text, START);
    }
}
