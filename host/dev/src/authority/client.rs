//! Client authentication: the registered application, and the proof in its request.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderMap;
use zeroize::Zeroizing;

use super::{
    Authority, assertion::Assertion, endpoint::Endpoint, errors::OAuthError, registry::App,
};
use crate::{
    clock,
    directory::clouds::AUTHORITY_HOSTS,
    message::{self, Query},
};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client that was authenticated.
pub(super) struct Client {
    pub(super) app: App,
    pub(super) proof: Proof,
    /// Whether the client sent an assertion that was used before.
    pub(super) is_reused: bool,
}

/// The proof by which a client authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    None,
    Secret,
    Certificate,
    Federated,
}

impl Proof {
    /// The value of the claim `appidacr`.
    pub(super) fn claim(self) -> &'static str {
        match self {
            Self::None => "0",
            Self::Secret => "1",
            Self::Certificate | Self::Federated => "2",
        }
    }

    /// The proof that a request contains, whether or not it is valid.
    pub(super) fn find(headers: &HeaderMap, form: &Query) -> Self {
        if let Some(text) = form.filled("client_assertion") {
            let client_id = form.get("client_id").unwrap_or_default();
            return match Assertion::read(text) {
                Some(assertion) if !assertion.is_from_client(client_id) => Self::Federated,
                _ => Self::Certificate,
            };
        }
        if form.filled("client_secret").is_some() || basic(headers).is_some() {
            return Self::Secret;
        }
        Self::None
    }
}

/// Finds the client of a request and checks its proof, if there is one. `tenant` is the tenant as
/// the request names it, and its id.
pub(super) fn authenticate(
    authority: &Authority,
    endpoint: &Endpoint,
    headers: &HeaderMap,
    form: &Query,
    tenant: (&str, &str),
) -> Result<Client, OAuthError> {
    let basic = basic(headers);
    let client_id = form.filled("client_id").or(basic.as_ref().map(|(id, _)| id.as_str()));
    let Some(client_id) = client_id else {
        let text = "The request body must contain the following parameter: 'client_id'.";
        return Err(OAuthError::with_text(900144, text));
    };
    let app = authority.registry.app(client_id, tenant.1)?;
    let proof = Proof::find(headers, form);
    let mut is_reused = false;
    match proof {
        Proof::None => {}
        Proof::Secret => {
            let secret = form.filled("client_secret").or(basic.as_ref().map(|(_, it)| it.as_str()));
            authority.registry.check_secret(app, secret.unwrap_or_default())?;
        }
        Proof::Certificate | Proof::Federated => {
            if form.get("client_assertion_type") != Some(ASSERTION) {
                return Err(OAuthError::new(9002313));
            }
            let text = form.filled("client_assertion").unwrap_or_default();
            let assertion = Assertion::read(text).ok_or_else(|| OAuthError::new(50027))?;
            let now = clock::now();
            if proof == Proof::Certificate {
                let is_audience =
                    |audience: &str| is_audience(authority, endpoint, audience, tenant);
                let known = authority.registry.certificates();
                assertion.check_certificate(known, client_id, is_audience, now)?;
            } else {
                assertion.check_federated(&authority.federation, now)?;
            }
            is_reused = authority.is_reused(text);
        }
    }
    Ok(Client { app, proof, is_reused })
}

/// Client id and secret from the `Authorization` header.
fn basic(headers: &HeaderMap) -> Option<(String, Zeroizing<String>)> {
    let (scheme, text) = message::header(headers, "authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
    let (id, secret) = std::str::from_utf8(&text).ok()?.split_once(':')?;
    let decode = |text: &str| {
        // A value without `=` is decoded as the name of a pair.
        let pair = form_urlencoded::parse(text.as_bytes()).next();
        pair.map(|(key, _)| key.into_owned()).unwrap_or_default()
    };
    Some((decode(id), Zeroizing::new(decode(secret))))
}

/// Whether an assertion's audience is this authority: the token endpoint or the tenant itself, at
/// any host of the authority.
fn is_audience(
    authority: &Authority,
    endpoint: &Endpoint,
    audience: &str,
    tenant: (&str, &str),
) -> bool {
    let real = AUTHORITY_HOSTS.iter().copied().flatten().map(|host| format!("https://{host}"));
    let mut origins = real
        .chain(authority.loopback.iter().cloned())
        .chain([endpoint.origin.clone(), endpoint.issuer.clone()]);
    let Some(rest) = origins.find_map(|origin| audience.strip_prefix(&origin)) else {
        return false;
    };
    let Some((named, rest)) =
        rest.strip_prefix('/').map(|it| it.split_once('/').unwrap_or((it, "")))
    else {
        return false;
    };
    let is_tenant = named.eq_ignore_ascii_case(tenant.0) || named.eq_ignore_ascii_case(tenant.1);
    is_tenant && matches!(rest, "" | "v2.0" | "oauth2/token" | "oauth2/v2.0/token")
}
