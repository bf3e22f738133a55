//! The token endpoint: every OAuth grant, and the token response that they share.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{StatusCode, request::Parts};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Authority, Granted, Handled, Refresh,
    client::{self, Client, Proof},
    digest,
    endpoint::Endpoint,
    errors::OAuthError,
    scope::{self, Scopes},
};
use crate::{
    clock,
    directory::{
        token::{Issuer, Refusal, Terms},
        who::{DOMAIN, USER, USER_NAME, Who},
    },
    limits,
    message::{self, Query, Response},
};

/// A request to the token endpoint.
struct TokenRequest<'a> {
    authority: &'a Authority,
    issuer: &'a Issuer,
    endpoint: &'a Endpoint,
    parts: &'a Parts,
    tenant: &'static str,
    named: &'a str,
    is_v1: bool,
    form: Query,
}

/// Answers a token request.
pub(super) fn respond(
    authority: &Authority,
    issuer: &Issuer,
    endpoint: &Endpoint,
    parts: &Parts,
    named: &str,
    is_v1: bool,
    body: &[u8],
) -> Handled {
    let form = Query::parse_bytes(body);
    let operation = match form.get("grant_type").unwrap_or_default() {
        "client_credentials" => match Proof::find(&parts.headers, &form) {
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
    // Injected failures come before all checks, so that a test need not send a valid request.
    if let Some(code) = authority.memory().faults.pop_front() {
        return Handled { operation, result: Err(OAuthError::injected(code)) };
    }
    let result = authority.registry.tenant(named).and_then(|tenant| {
        TokenRequest { authority, issuer, endpoint, parts, tenant, named, is_v1, form }
            .run(operation)
    });
    Handled { operation, result }
}

/// Answers a request for a device code.
pub(super) fn device_code(
    authority: &Authority,
    endpoint: &Endpoint,
    named: &str,
    body: &[u8],
) -> Result<Response, OAuthError> {
    let form = Query::parse_bytes(body);
    let tenant = authority.registry.tenant(named)?;
    let client_id = form.filled("client_id").unwrap_or_default();
    let app = authority.registry.app(client_id, tenant)?;
    let scopes = scope::parse(&form, false, false)?;
    if !app.serves_users {
        return Err(OAuthError::new(7000218));
    }
    Ok(authority.device_codes.begin(endpoint, app.principal.app_id, tenant, scopes))
}

impl TokenRequest<'_> {
    fn run(&self, operation: &str) -> Result<Granted, OAuthError> {
        let tenant = (self.named, self.tenant);
        let client = client::authenticate(
            self.authority,
            self.endpoint,
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
                Some(_) => OAuthError::new(70003),
                None => missing("grant_type"),
            }),
        }
    }

    fn application(&self, client: &Client) -> Result<Granted, OAuthError> {
        require_proof(client)?;
        let scopes = scope::parse(&self.form, self.is_v1, true)?;
        self.issue(client, Who::Application, &scopes)
    }

    /// The on-behalf-of flow: a user's token for the client is exchanged.
    /// <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow>
    fn on_behalf_of(&self, client: &Client) -> Result<Granted, OAuthError> {
        require_proof(client)?;
        if self.form.get("requested_token_use") != Some("on_behalf_of") {
            return Err(missing("requested_token_use"));
        }
        let assertion = self.form.filled("assertion").ok_or_else(|| missing("assertion"))?;
        let scopes = scope::parse(&self.form, self.is_v1, false)?;
        let id = client.app.principal.app_id;
        let verify = |audience: &str| self.issuer.verify(assertion, audience);
        let who = verify(&format!("api://{id}")).or_else(|_| verify(id));
        match who {
            Ok(Who::User) => {}
            Ok(_) => return Err(OAuthError::new(50027)),
            Err(Refusal::Audience(_)) => return Err(OAuthError::new(500131)),
            Err(Refusal::Expired) => return Err(OAuthError::new(500133)),
            Err(Refusal::Malformed) => return Err(OAuthError::new(50027)),
            Err(Refusal::Issuer(_) | Refusal::Signature) => return Err(OAuthError::new(50013)),
        }
        require_users(client, 65001)?;
        self.issue(client, Who::User, &scopes)
    }

    /// The password flow: a user signs in with name and password.
    /// <https://learn.microsoft.com/entra/identity-platform/v2-oauth-ropc>
    fn password(&self, client: &Client) -> Result<Granted, OAuthError> {
        if client.proof == Proof::None {
            require_users(client, 7000218)?;
        }
        let scopes = scope::parse(&self.form, self.is_v1, false)?;
        let name = self.form.filled("username").ok_or_else(|| missing("username"))?;
        let password = self.form.filled("password").ok_or_else(|| missing("password"))?;
        self.authority.registry.check_user(name, password)?;
        require_users(client, 65001)?;
        self.issue(client, Who::User, &scopes)
    }

    fn device(&self, client: &Client) -> Result<Granted, OAuthError> {
        // Version 1 has another name for the parameter.
        let code = self.form.filled("device_code").or_else(|| self.form.filled("code"));
        let code = code.ok_or_else(|| missing("device_code"))?;
        let id = client.app.principal.app_id;
        let scopes = self.authority.device_codes.poll(code, id, self.tenant)?;
        self.issue(client, Who::User, &scopes)
    }

    fn refresh(&self, client: &Client) -> Result<Granted, OAuthError> {
        let token = self.form.filled("refresh_token").ok_or_else(|| missing("refresh_token"))?;
        let known = self.authority.memory().refresh.get(&digest(token)).cloned();
        let known = known.ok_or_else(|| OAuthError::new(700082))?;
        // A refresh token is valid in every tenant of its user, and the local user has one tenant.
        if known.app_id != client.app.principal.app_id || known.tenant != self.tenant {
            return Err(OAuthError::new(50173));
        }
        let scopes = scope::parse(&self.form, self.is_v1, false)?;
        self.issue(client, Who::User, &scopes)
    }

    /// Issues the token for an authenticated client, and answers with it.
    fn issue(&self, client: &Client, who: Who, scopes: &Scopes) -> Result<Granted, OAuthError> {
        let is_cae = is_cae(self.form.filled("claims"))?;
        let is_user = who == Who::User;
        let app_id = client.app.principal.app_id;
        let token = self.issuer.issue_as(&Terms {
            principal: if is_user { &USER } else { client.app.principal },
            resource: &scopes.resource,
            tenant: self.tenant,
            app_id,
            proof: client.proof.claim(),
            is_cae,
            max_lifetime: (!is_cae).then_some(limits::AUTHORITY_TOKEN_LIFETIME),
        });
        let token = token.ok_or_else(|| OAuthError::new(90033))?;
        let id_token =
            (is_user && scopes.openid).then(|| self.id_token(app_id, token.expires)).flatten();
        let refresh = (is_user && scopes.offline)
            .then(|| self.authority.refresh_token(Refresh { app_id, tenant: self.tenant }));
        let info = is_user && self.form.get("client_info") == Some("1");
        let number = |seconds: u64| match self.is_v1 {
            true => Value::from(seconds.to_string()),
            false => Value::from(seconds),
        };
        let body = Body {
            token_type: "Bearer",
            scope: (is_user).then_some(scopes.text.as_str()),
            expires_in: number(token.lifetime),
            ext_expires_in: number(token.lifetime),
            expires_on: self.is_v1.then(|| number(token.expires)),
            not_before: self.is_v1.then(|| number(token.not_before)),
            resource: self.is_v1.then_some(scopes.resource.as_str()),
            // Entra sends this for long-lived tokens only.
            refresh_in: (token.lifetime >= 7200).then(|| number(token.lifetime / 2)),
            access_token: token.expose(),
            refresh_token: refresh.as_ref().map(ExposeSecret::expose_secret),
            id_token: id_token.as_ref().map(ExposeSecret::expose_secret),
            client_info: info.then(|| {
                let info = json!({"uid": USER.object_id, "utid": self.tenant});
                URL_SAFE_NO_PAD.encode(info.to_string())
            }),
        };
        let response = message::json(StatusCode::OK, &body, 2 * body.access_token.len());
        Ok(Granted { response, who: Some(who), is_reused: client.is_reused })
    }

    /// An id token for the user.
    /// <https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference>
    fn id_token(&self, app_id: &str, expires: u64) -> Option<SecretString> {
        let now = clock::now();
        let claims = json!({
            "aud": app_id,
            "iss": format!("{}/{}/v2.0", self.endpoint.issuer, self.tenant),
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

fn missing(name: &str) -> OAuthError {
    OAuthError::with_text(
        900144,
        format!("The request body must contain the following parameter: '{name}'."),
    )
}

fn require_proof(client: &Client) -> Result<(), OAuthError> {
    if client.proof == Proof::None { Err(OAuthError::new(7000218)) } else { Ok(()) }
}

fn require_users(client: &Client, number: u32) -> Result<(), OAuthError> {
    if client.app.serves_users { Ok(()) } else { Err(OAuthError::new(number)) }
}

/// Whether the client announces that it handles claims challenges.
fn is_cae(claims: Option<&str>) -> Result<bool, OAuthError> {
    let Some(claims) = claims else { return Ok(false) };
    let claims: Value = serde_json::from_str(claims).map_err(|_| OAuthError::new(9002313))?;
    let values = claims.pointer("/access_token/xms_cc/values").and_then(Value::as_array);
    let is_cp1 = |it: &Value| it.as_str().is_some_and(|it| it.eq_ignore_ascii_case("cp1"));
    Ok(values.is_some_and(|values| values.iter().any(is_cp1)))
}
