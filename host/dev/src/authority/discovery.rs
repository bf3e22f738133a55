//! The documents that clients read before they request a token: endpoints, aliases of hosts, keys,
//! and how the users of a domain sign in.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc>

use http::StatusCode;
use serde_json::{Value, json};

use super::{Authority, endpoint::Endpoint, errors::OAuthError};
use crate::{
    directory::{
        clouds::{AUTHORITY_HOSTS, is_authority_host},
        token::{self, Issuer},
        who::{DOMAIN, TENANT},
    },
    message::{self, Query, Response},
};

/// The OpenID discovery document of a tenant.
pub(super) fn configuration(
    authority: &Authority,
    endpoint: &Endpoint,
    tenant: &str,
    is_v2: bool,
) -> Result<Response, OAuthError> {
    let id = authority.registry.tenant(tenant)?;
    let Endpoint { origin, issuer, cloud, .. } = endpoint;
    // Entra writes a placeholder for the tenant if the request names none in particular.
    let is_any = matches!(tenant, "common" | "organizations");
    let (at, named) = if is_any { (tenant, "{tenantid}") } else { (id, id) };
    let at = if tenant == "adfs" { tenant } else { at };
    let (version, keys) =
        if is_v2 { ("/v2.0", "/discovery/v2.0/keys") } else { ("", "/discovery/keys") };
    let issuer = if is_v2 { format!("{issuer}/{named}/v2.0") } else { token::issuer_of(named) };
    let body = json!({
        "token_endpoint": format!("{origin}/{at}/oauth2{version}/token"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{origin}/{at}{keys}"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "request_uri_parameter_supported": false,
        "authorization_endpoint": format!("{origin}/{at}/oauth2{version}/authorize"),
        "device_authorization_endpoint": format!("{origin}/{at}/oauth2/v2.0/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{origin}/{at}/oauth2{version}/logout"),
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "tid", "ver", "oid", "upn"],
        "tenant_region_scope": null,
        "cloud_instance_name": cloud,
    });
    Ok(message::json(StatusCode::OK, &body, 0))
}

/// The response to an instance request: whether a host is an authority, and its aliases.
pub(super) fn instance(authority: &Authority, query: &Query) -> Result<Response, OAuthError> {
    let endpoint = query.filled("authorization_endpoint").unwrap_or_default();
    let (named, rest) = split(endpoint).ok_or_else(|| OAuthError::new(50049))?;
    let host = named.trim_start_matches("https://");
    let is_real = named.starts_with("https://") && is_authority_host(host);
    // Some clients omit the port from their request.
    let known = authority.loopback.iter().find(|origin| {
        *origin == named || (origin.rsplit_once(':').is_some_and(|(portless, _)| portless == named))
    });
    let origin = match known {
        Some(known) => known.as_str(),
        None if is_real => named,
        None => {
            return Err(OAuthError::with_text(
                50049,
                format!("Unknown or invalid instance '{host}'."),
            ));
        }
    };
    let tenant = rest.split('/').next().unwrap_or_default();
    let mut body = json!({
        "tenant_discovery_endpoint": format!("{origin}/{tenant}/v2.0/.well-known/openid-configuration"),
        "api-version": query.get("api-version").unwrap_or("1.0"),
    });
    if query.get("api-version") != Some("1.0") {
        let entry = |aliases: &[&str]| {
            json!({
                "preferred_network": aliases.first(),
                // For historical reasons, the public cloud has an alias of its own for this.
                "preferred_cache": aliases.get(1).filter(|it| **it == "login.windows.net").or(aliases.first()),
                "aliases": aliases,
            })
        };
        let mut metadata: Vec<Value> = AUTHORITY_HOSTS.iter().map(|names| entry(names)).collect();
        let loopback =
            authority.loopback.iter().map(|it| it.split_once("://").map_or("", |(_, host)| host));
        metadata.extend(loopback.map(|host| entry(&[host])));
        if let Some(object) = body.as_object_mut() {
            object.insert("metadata".to_owned(), Value::from(metadata));
        }
    }
    Ok(message::json(StatusCode::OK, &body, 0))
}

/// Splits a URL into its origin and its path.
fn split(url: &str) -> Option<(&str, &str)> {
    let start = url.find("://")? + 3;
    let end = url.get(start..)?.find('/')? + start;
    Some((url.get(..end)?, url.get(end + 1..)?))
}

/// The JWK set of a tenant.
pub(super) fn keys(issuer: &Issuer, endpoint: &Endpoint, tenant: &str) -> Response {
    let tenant = if tenant == "common" { "{tenantid}" } else { TENANT };
    let keys = issuer.signer().keys(&format!("{}/{tenant}/v2.0", endpoint.issuer));
    message::json(StatusCode::OK, &keys, 0)
}

/// The sign-in type of a user's domain. `user` is a segment of the path, percent-encoded or not.
pub(super) fn user_realm(user: &str) -> Response {
    let user = user.replace("%40", "@");
    let domain = user.rsplit_once('@').map_or("", |(_, domain)| domain);
    let is_managed = domain.eq_ignore_ascii_case(DOMAIN);
    let body = json!({
        "ver": "1.0",
        "account_type": if is_managed { "Managed" } else { "Unknown" },
        "domain_name": domain,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    });
    message::json(StatusCode::OK, &body, 0)
}
