//! What clients read before they ask for a token: endpoints, aliases of hosts, keys, and how a
//! user's domain signs in.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc>

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Authority,
    errors::Trouble,
    is_host,
    place::{HOSTS, Place},
};
use crate::{
    identity::{
        DOMAIN, TENANT,
        token::{self, Issuer},
    },
    message::{self, Answer, Query},
};

pub(super) fn configuration(
    authority: &Authority,
    place: &Place,
    tenant: &str,
    is_v2: bool,
) -> Result<Answer, Trouble> {
    let id = authority.registry.tenant(tenant)?;
    let Place { origin, issuer, cloud, .. } = place;
    // Of no tenant in particular, as the real one says it.
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

/// Whether a host is an authority, and by which names it goes.
pub(super) fn instance(authority: &Authority, query: &Query) -> Result<Answer, Trouble> {
    let endpoint = query.filled("authorization_endpoint").unwrap_or_default();
    let (named, rest) = split(endpoint).ok_or_else(|| Trouble::new(50049))?;
    let host = named.trim_start_matches("https://");
    let is_real = named.starts_with("https://") && is_host(host);
    // Some clients leave the port out of the question.
    let ours = authority.loopback.iter().find(|known| {
        *known == named || (known.rsplit_once(':').is_some_and(|(portless, _)| portless == named))
    });
    let origin = match ours {
        Some(ours) => ours.as_str(),
        None if is_real => named,
        None => {
            return Err(Trouble::say(50049, format!("Unknown or invalid instance '{host}'.")));
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
                // Of the public cloud this is another one, for history's sake.
                "preferred_cache": aliases.get(1).filter(|it| **it == "login.windows.net").or(aliases.first()),
                "aliases": aliases,
            })
        };
        let mut metadata: Vec<Value> = HOSTS.iter().map(|names| entry(names)).collect();
        let ours =
            authority.loopback.iter().map(|it| it.split_once("://").map_or("", |(_, host)| host));
        metadata.extend(ours.map(|host| entry(&[host])));
        if let Some(object) = body.as_object_mut() {
            object.insert("metadata".to_owned(), Value::from(metadata));
        }
    }
    Ok(message::json(StatusCode::OK, &body, 0))
}

/// Origin and path of a URL.
fn split(url: &str) -> Option<(&str, &str)> {
    let start = url.find("://")? + 3;
    let end = url.get(start..)?.find('/')? + start;
    Some((url.get(..end)?, url.get(end + 1..)?))
}

pub(super) fn keys(issuer: &Issuer, place: &Place, tenant: &str) -> Answer {
    let tenant = if tenant == "common" { "{tenantid}" } else { TENANT };
    let keys = issuer.signer().keys(&format!("{}/{tenant}/v2.0", place.issuer));
    message::json(StatusCode::OK, &keys, 0)
}

/// The user's name comes as one segment of the path, encoded or not.
pub(super) fn user_realm(user: &str) -> Answer {
    let user = user.replace("%40", "@");
    let domain = user.rsplit_once('@').map_or("", |(_, domain)| domain);
    let is_ours = domain.eq_ignore_ascii_case(DOMAIN);
    let body = json!({
        "ver": "1.0",
        "account_type": if is_ours { "Managed" } else { "Unknown" },
        "domain_name": domain,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    });
    message::json(StatusCode::OK, &body, 0)
}
