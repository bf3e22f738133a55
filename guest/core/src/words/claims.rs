//! The `claims` parameter of token requests.
//! <https://learn.microsoft.com/entra/identity-platform/claims-challenge>

use alloc::{borrow::ToOwned, string::String};

use crate::words::json;

/// The claims that declare the client capability `cp1`: it handles tokens that are revoked at any time
/// (continuous access evaluation).
const CAPABILITIES: &str = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
const CAPABILITY: &str = r#""xms_cc":{"values":["cp1"]}"#;

/// Adds the client capabilities to a caller's claims, which [`crate::token::is_claims`] has checked.
pub(crate) fn with_capabilities(claims: Option<&str>) -> String {
    let merged = claims.and_then(merge);
    merged.unwrap_or_else(|| CAPABILITIES.to_owned())
}

fn merge(claims: &str) -> Option<String> {
    let claims = json::parse_text(claims)?;
    let mut out = json::Object::default();
    let mut done = false;
    for (name, value) in claims.members()? {
        let value = value.to_json();
        if name == "access_token" {
            out.raw(name, &add_capability(&value));
            done = true;
        } else {
            out.raw(name, &value);
        }
    }
    if !done {
        out.raw("access_token", &add_capability("{}"));
    }
    Some(out.finish().as_str().to_owned())
}

/// The object with the capability added; anything that is not an object is replaced by one.
fn add_capability(object: &str) -> String {
    let inside = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let inside = inside.unwrap_or_default().trim();
    let mut out = String::from("{");
    out.push_str(CAPABILITY);
    if !inside.is_empty() && !inside.contains("\"xms_cc\"") {
        out.push(',');
        out.push_str(inside);
    }
    out.push('}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_added_to_the_callers_claims() {
        for (claims, expected) in [
            (None, CAPABILITIES),
            (Some("{}"), CAPABILITIES),
            (
                Some(r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#),
                r#"{"access_token":{"xms_cc":{"values":["cp1"]},"nbf":{"essential":true,"value":"1"}}}"#,
            ),
            (
                Some(r#" { "id_token" : {"a":[1, 2.50]} , "x":"\u00e9\"" }"#),
                r#"{"id_token":{"a":[1,2.50]},"x":"\u00e9\"","access_token":{"xms_cc":{"values":["cp1"]}}}"#,
            ),
            (Some(r#"{"access_token":null}"#), CAPABILITIES),
        ] {
            assert_eq!(with_capabilities(claims), expected, "{claims:?}");
        }
    }
}
