//! Checks the signed assertions that were sent.

use std::collections::BTreeMap;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Map, Value};
use vaultlet_core::testing::matches;
use vaultlet_tests::case::{Case, Exchange};

/// Checks each assertion that a case describes. A time may be up to `late` seconds after the time that
/// the case was rendered with. `signed` verifies a signature, given the algorithm, the signed text and
/// the signature.
pub(crate) fn assertions(
    case: &Case,
    sent: &[String],
    late: i64,
    signed: impl Fn(&str, &str, &[u8]) -> bool,
) -> Result<(), String> {
    let expected =
        case.content.exchanges.iter().filter(|e| Exchange::assertion(&e.text()).is_some());
    let sent = sent.iter().filter_map(|text| Exchange::assertion(text));
    for (exchange, assertion) in expected.zip(sent) {
        if let Some(expected) = &exchange.assertion {
            one(expected, assertion, late, &signed)?;
        }
    }
    Ok(())
}

fn one(
    expected: &BTreeMap<String, String>,
    assertion: &str,
    late: i64,
    signed: impl Fn(&str, &str, &[u8]) -> bool,
) -> Result<(), String> {
    let (text, signature) = assertion.rsplit_once('.').ok_or("an assertion has three parts")?;
    let (header, claims) = text.split_once('.').ok_or("an assertion has three parts")?;
    let mut members = object(header)?;
    let claims = object(claims)?;
    if let Some(twice) = claims.keys().find(|name| members.contains_key(*name)) {
        return Err(format!("the assertion says `{twice}` in header and claims"));
    }
    members.extend(claims);
    let names = || members.keys().collect::<Vec<_>>();
    if names() != expected.keys().collect::<Vec<_>>() {
        return Err(format!("the assertion says {:?}", names()));
    }
    for (name, value) in &members {
        let pattern = &expected[name];
        let is_right = match value {
            Value::String(text) => matches(pattern, text),
            Value::Number(number) => {
                let range = pattern.parse().map(|at: i64| at..=at + late);
                number.as_i64().is_some_and(|number| range.is_ok_and(|r| r.contains(&number)))
            }
            other => matches(pattern, &other.to_string()),
        };
        if !is_right {
            return Err(format!("the assertion's `{name}` is {value}, not {pattern}"));
        }
    }
    let signature = decoded(signature)?;
    if signed(&expected["alg"], text, &signature) {
        Ok(())
    } else {
        Err("the assertion's signature is not the key's".into())
    }
}

fn object(part: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_slice(&decoded(part)?).map_err(|error| format!("the assertion: {error}"))
}

fn decoded(part: &str) -> Result<Vec<u8>, String> {
    Base64UrlUnpadded::decode_vec(part).map_err(|error| format!("the assertion: {error}"))
}
