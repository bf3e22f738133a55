//! The token endpoint: each grant, and the answer that they share.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{StatusCode, request::Parts};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Authority, Done, Given, Place, Refresh,
    client::{self, Client, Proof},
    digest,
    errors::Trouble,
    scope::{self, Wanted},
};
use crate::{
    clock,
    identity::{
        DOMAIN, USER, USER_NAME, Who,
        token::{Issuer, Refusal, Terms},
    },
    limits,
    message::{self, Answer, Query},
};

/// One request to the token endpoint.
struct Call<'a> {
    authority: &'a Authority,
    issuer: &'a Issuer,
    place: &'a Place,
    parts: &'a Parts,
    tenant: &'static str,
    named: &'a str,
    is_v1: bool,
    form: Query,
}

pub(super) fn answer(
    authority: &Authority,
    issuer: &Issuer,
    place: &Place,
    parts: &Parts,
    named: &str,
    is_v1: bool,
    body: &[u8],
) -> Given {
    let form = Query::parse_bytes(body);
    let operation = match form.get("grant_type").unwrap_or_default() {
        "client_credentials" => match Proof::meant(&parts.headers, &form) {
            Proof::Certificate => "client-certificate",
            Proof::Federated => "federated-token",
            Proof::None | Proof::Secret => "client-secret",
        },
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => "on-behalf-of",
        "password" => "user-password",
        "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => "device-token",
        "refresh_token" => "refresh-token",
        _ => "token",
    };
    // Before anything else is looked at: it is the test's business to send what would be good.
    if let Some(code) = authority.progress().faults.pop_front() {
        return Given { operation, result: Err(Trouble::provoked(code)) };
    }
    let result = authority.registry.tenant(named).and_then(|tenant| {
        Call { authority, issuer, place, parts, tenant, named, is_v1, form }.run(operation)
    });
    Given { operation, result }
}

/// Begins a device code.
pub(super) fn device_code(
    authority: &Authority,
    place: &Place,
    named: &str,
    body: &[u8],
) -> Result<Answer, Trouble> {
    let form = Query::parse_bytes(body);
    let tenant = authority.registry.tenant(named)?;
    let client_id = form.filled("client_id").unwrap_or_default();
    let app = authority.registry.app(client_id, tenant)?;
    let wanted = scope::wanted(&form, false, false)?;
    if !app.serves_users {
        return Err(Trouble::new(7000218));
    }
    Ok(authority.devices.begin(place, app.principal.app_id, tenant, wanted))
}

impl Call<'_> {
    fn run(&self, operation: &str) -> Result<Done, Trouble> {
        let tenant = (self.named, self.tenant);
        let client = client::authenticate(
            self.authority,
            self.place,
            &self.parts.headers,
            &self.form,
            tenant,
        )?;
        match operation {
            "client-secret" | "client-certificate" | "federated-token" => self.application(&client),
            "on-behalf-of" => self.on_behalf_of(&client),
            "user-password" => self.password(&client),
            "device-token" => self.device(&client),
            "refresh-token" => self.refresh(&client),
            _ => Err(match self.form.filled("grant_type") {
                Some(_) => Trouble::new(70003),
                None => missing("grant_type"),
            }),
        }
    }

    fn application(&self, client: &Client) -> Result<Done, Trouble> {
        must_prove(client)?;
        let wanted = scope::wanted(&self.form, self.is_v1, true)?;
        self.give(client, Who::Application, &wanted)
    }

    /// <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow>
    fn on_behalf_of(&self, client: &Client) -> Result<Done, Trouble> {
        must_prove(client)?;
        if self.form.get("requested_token_use") != Some("on_behalf_of") {
            return Err(missing("requested_token_use"));
        }
        let assertion = self.form.filled("assertion").ok_or_else(|| missing("assertion"))?;
        let wanted = scope::wanted(&self.form, self.is_v1, false)?;
        let id = client.app.principal.app_id;
        let verify = |audience: &str| self.issuer.verify(assertion, audience);
        let who = verify(&format!("api://{id}")).or_else(|_| verify(id));
        match who {
            Ok(Who::User) => {}
            Ok(_) => return Err(Trouble::new(50027)),
            Err(Refusal::Audience(_)) => return Err(Trouble::new(500131)),
            Err(Refusal::Expired) => return Err(Trouble::new(500133)),
            Err(Refusal::Malformed) => return Err(Trouble::new(50027)),
            Err(Refusal::Issuer(_) | Refusal::Signature) => return Err(Trouble::new(50013)),
        }
        must_serve_users(client, 65001)?;
        self.give(client, Who::User, &wanted)
    }

    /// <https://learn.microsoft.com/entra/identity-platform/v2-oauth-ropc>
    fn password(&self, client: &Client) -> Result<Done, Trouble> {
        if client.proof == Proof::None {
            must_serve_users(client, 7000218)?;
        }
        let wanted = scope::wanted(&self.form, self.is_v1, false)?;
        let name = self.form.filled("username").ok_or_else(|| missing("username"))?;
        let password = self.form.filled("password").ok_or_else(|| missing("password"))?;
        self.authority.registry.check_user(name, password)?;
        must_serve_users(client, 65001)?;
        self.give(client, Who::User, &wanted)
    }

    fn device(&self, client: &Client) -> Result<Done, Trouble> {
        // The second is what version 1 calls it.
        let code = self.form.filled("device_code").or_else(|| self.form.filled("code"));
        let code = code.ok_or_else(|| missing("device_code"))?;
        let id = client.app.principal.app_id;
        let wanted = self.authority.devices.poll(code, id, self.tenant)?;
        self.give(client, Who::User, &wanted)
    }

    fn refresh(&self, client: &Client) -> Result<Done, Trouble> {
        let token = self.form.filled("refresh_token").ok_or_else(|| missing("refresh_token"))?;
        let known = self.authority.progress().refresh.get(&digest(token)).cloned();
        let known = known.ok_or_else(|| Trouble::new(700082))?;
        // One for a user is good in each tenant that the user is in; ours is in one.
        if known.app_id != client.app.principal.app_id || known.tenant != self.tenant {
            return Err(Trouble::new(50173));
        }
        let wanted = scope::wanted(&self.form, self.is_v1, false)?;
        self.give(client, Who::User, &wanted)
    }

    fn give(&self, client: &Client, who: Who, wanted: &Wanted) -> Result<Done, Trouble> {
        let is_cae = is_cae(self.form.filled("claims"))?;
        let is_user = who == Who::User;
        let app_id = client.app.principal.app_id;
        let token = self.issuer.issue_as(&Terms {
            principal: if is_user { &USER } else { client.app.principal },
            resource: &wanted.resource,
            tenant: self.tenant,
            app_id,
            proof: client.proof.claim(),
            is_cae,
            at_most: (!is_cae).then_some(limits::AUTHORITY_TOKEN_LIFETIME),
        });
        let token = token.ok_or_else(|| Trouble::new(90033))?;
        let id_token =
            (is_user && wanted.openid).then(|| self.id_token(app_id, token.expires)).flatten();
        let refresh = (is_user && wanted.offline)
            .then(|| self.authority.refresh_token(Refresh { app_id, tenant: self.tenant }));
        let info = is_user && self.form.get("client_info") == Some("1");
        let number = |seconds: u64| match self.is_v1 {
            true => Value::from(seconds.to_string()),
            false => Value::from(seconds),
        };
        let body = Body {
            token_type: "Bearer",
            scope: (is_user).then_some(wanted.text.as_str()),
            expires_in: number(token.lifetime),
            ext_expires_in: number(token.lifetime),
            expires_on: self.is_v1.then(|| number(token.expires)),
            not_before: self.is_v1.then(|| number(token.not_before)),
            resource: self.is_v1.then_some(wanted.resource.as_str()),
            // As the real one: of tokens that live long.
            refresh_in: (token.lifetime >= 7200).then(|| number(token.lifetime / 2)),
            access_token: token.expose(),
            refresh_token: refresh.as_ref().map(ExposeSecret::expose_secret),
            id_token: id_token.as_ref().map(ExposeSecret::expose_secret),
            client_info: info.then(|| {
                let info = json!({"uid": USER.object_id, "utid": self.tenant});
                URL_SAFE_NO_PAD.encode(info.to_string())
            }),
        };
        let answer = message::json(StatusCode::OK, &body, 2 * body.access_token.len());
        Ok(Done { answer, who: Some(who), is_reused: client.is_reused })
    }

    /// <https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference>
    fn id_token(&self, app_id: &str, expires: u64) -> Option<SecretString> {
        let now = clock::now();
        let claims = json!({
            "aud": app_id,
            "iss": format!("{}/{}/v2.0", self.place.issuer, self.tenant),
            "iat": now,
            "nbf": now.saturating_sub(limits::TOKEN_BACKDATED),
            "exp": expires,
            "name": "Local User",
            "oid": USER.object_id,
            "preferred_username": USER_NAME,
            "sub": USER.object_id,
            "tid": self.tenant,
            "ver": "2.0",
            "domain": DOMAIN,
        });
        self.issuer.signer().sign(&claims)
    }
}

#[derive(Serialize)]
struct Body<'a> {
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    expires_in: Value,
    ext_expires_in: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_on: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_in: Option<Value>,
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_info: Option<String>,
}

fn missing(name: &str) -> Trouble {
    Trouble::say(
        900144,
        format!("The request body must contain the following parameter: '{name}'."),
    )
}

fn must_prove(client: &Client) -> Result<(), Trouble> {
    if client.proof == Proof::None { Err(Trouble::new(7000218)) } else { Ok(()) }
}

fn must_serve_users(client: &Client, number: u32) -> Result<(), Trouble> {
    if client.app.serves_users { Ok(()) } else { Err(Trouble::new(number)) }
}

/// Whether the client says that it understands claims challenges.
fn is_cae(claims: Option<&str>) -> Result<bool, Trouble> {
    let Some(claims) = claims else { return Ok(false) };
    let claims: Value = serde_json::from_str(claims).map_err(|_| Trouble::new(9002313))?;
    let values = claims.pointer("/access_token/xms_cc/values").and_then(Value::as_array);
    let is_cp1 = |it: &Value| it.as_str().is_some_and(|it| it.eq_ignore_ascii_case("cp1"));
    Ok(values.is_some_and(|values| values.iter().any(is_cp1)))
}
