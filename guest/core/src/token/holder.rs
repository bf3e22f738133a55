//! The identity that a token belongs to, according to the token's own claims.
//! <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>

use alloc::{format, string::String, vec::Vec};
use base64ct::{Base64UrlUnpadded, Encoding as _};

use crate::{
    limits::CLAIM,
    token::Token,
    words::{
        json::{self, Value},
        scrub::Scrubbed,
    },
};

/// The claims of a token about its identity. They are not verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// The tenant.
    pub tenant: Option<String>,
    /// The identity's object id in that tenant.
    pub object_id: Option<String>,
    /// The client id of the application that requested the token.
    pub app_id: Option<String>,
    /// The user's name, masked.
    pub upn: Option<String>,
    /// The audience: the resource that the token is for.
    pub audience: Option<String>,
    /// Remarks for people, one line each.
    pub notes: Vec<String>,
}

impl Token {
    /// The identity that the token belongs to.
    pub fn holder(&self) -> Holder {
        let mut parts = self.secret.reveal().split('.');
        let payload = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(_), Some(payload), Some(_), None) => payload,
            _ => return opaque(),
        };
        let Ok(payload) = Base64UrlUnpadded::decode_vec(payload.trim_end_matches('=')) else {
            return opaque();
        };
        let payload = Scrubbed::new(payload);
        match json::parse(&payload) {
            Some(claims) => read(&claims),
            None => opaque(),
        }
    }
}

fn read(claims: &Value<'_>) -> Holder {
    let text = |name: &str| claims.text(name).filter(|text| is_plain(text));
    let mut notes = Vec::new();
    if let Some(identity) = text("xms_mirid") {
        notes.push(format!("a managed identity: {identity}"));
    }
    match text("idtyp").as_deref() {
        Some("user") => notes.push("on behalf of a user".into()),
        Some("app") => notes.push("of an application, not of a user".into()),
        _ => {}
    }
    if let Some(scopes) = text("scp") {
        notes.push(format!("delegated permissions: {scopes}"));
    }
    let upn = text("upn").or_else(|| text("preferred_username")).or_else(|| text("unique_name"));
    Holder {
        tenant: text("tid"),
        object_id: text("oid"),
        app_id: text("appid").or_else(|| text("azp")),
        upn: upn.map(|upn| masked(&upn)),
        audience: text("aud"),
        notes,
    }
}

/// The holder of a token that cannot be read.
fn opaque() -> Holder {
    Holder { notes: ["the token does not name its owner".into()].into(), ..Holder::default() }
}

/// A user's name reduced to the first letter and the domain.
fn masked(upn: &str) -> String {
    let first: String = upn.chars().take(1).collect();
    match upn.split_once('@') {
        Some((_, domain)) => format!("{first}…@{domain}"),
        None => format!("{first}…"),
    }
}

/// Whether a text is one line of printable ASCII, and not longer than an id.
fn is_plain(text: &str) -> bool {
    (1..=CLAIM).contains(&text.len()) && text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(secret: String) -> Token {
        Token {
            secret: secret.into(),
            expires_on: 0,
            refresh_on: 0,
            resource: String::new(),
            source: String::new(),
            endpoint: None,
            client_id: None,
            other: None,
        }
    }

    fn jwt(claims: &str) -> String {
        format!("eyJh.{}.c2ln", Base64UrlUnpadded::encode_string(claims.as_bytes()))
    }

    #[test]
    fn the_claims_of_a_token_name_its_holder() {
        let user = token(jwt(
            r#"{"tid":"t","oid":"o","appid":"a","upn":"user@contoso.com","aud":"https://v","idtyp":"user","scp":"user_impersonation"}"#,
        ));
        let holder = user.holder();
        assert_eq!(holder.upn.as_deref(), Some("u…@contoso.com"));
        assert_eq!(holder.tenant.as_deref(), Some("t"));
        assert_eq!(holder.notes.len(), 2);
        let app =
            token(jwt(r#"{"azp":"a","xms_mirid":"/subscriptions/s","idtyp":"app"}"#)).holder();
        assert_eq!(app.app_id.as_deref(), Some("a"));
        assert_eq!(app.notes[0], "a managed identity: /subscriptions/s");
    }

    #[test]
    fn a_token_that_is_not_a_jwt_has_no_holder_and_is_not_quoted() {
        for secret in ["opaque", "a.b", "a.b.c.d", "a.!.c", "a.bm90IGpzb24.c", ""] {
            let holder = token(secret.into()).holder();
            assert_eq!((holder.tenant, holder.notes.len()), (None, 1), "{secret}");
        }
        let odd = token(jwt("{\"tid\":\"a\\nb\",\"oid\":7,\"upn\":\"nobody\"}")).holder();
        assert_eq!((odd.tenant, odd.object_id, odd.upn.as_deref()), (None, None, Some("n…")));
    }
}
