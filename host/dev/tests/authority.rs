//! The token authority over real sockets: discovery, applications with a secret, and errors.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use serde_json::json;
use support::{
    Options, REAL, claims_of, client_form, error_code, form, post_form, send, token_url,
    token_with, variable,
};
use vaultlet_dev::{Form, Grant, Local, Role, Who};

const VAULT: &str = "https://vault.azure.net";

#[tokio::test]
async fn a_secret_obtains_a_token_at_every_endpoint() {
    let local = Local::builder().seed("db", "hunter2").start().unwrap();
    let port = local.authority().rsplit_once(':').unwrap().1;
    let authorities = [
        REAL.to_owned(),
        "https://login.chinacloudapi.cn".into(),
        "https://login.microsoftonline.us".into(),
        "https://login.windows.net".into(),
        "https://sts.windows.net".into(),
        "https://westeurope.login.microsoft.com".into(),
        local.authority().to_owned(),
        format!("https://127.0.0.1:{port}"),
        format!("https://login.localhost:{port}"),
        local.authority_http().to_owned(),
    ];
    for authority in &authorities {
        let body = client_form(&local, "");
        let reply =
            post_form(&local, &token_url(authority, local.application().tenant()), &body).await;
        assert_eq!(reply.status, 200, "{authority}: {}", reply.text);
        let response = reply.json();
        assert_eq!(
            (&response["token_type"], &response["expires_in"], response.get("refresh_token")),
            (&json!("Bearer"), &json!(3599), None)
        );
        let claims = claims_of(response["access_token"].as_str().unwrap());
        assert_eq!(claims["aud"], VAULT);
        assert_eq!(claims["appid"], local.application().client_id());
        assert_eq!((&claims["appidacr"], &claims["idtyp"]), (&json!("1"), &json!("app")));
        assert_eq!(claims.get("xms_mirid"), None);
        assert_eq!(reads_secret(&local, response["access_token"].as_str().unwrap()).await, 200);
    }
    let counters = local.counters();
    assert_eq!(counters.authority["client-secret"][&200], authorities.len() as u64);
    assert_eq!(counters.tunnels, 0);
    assert_eq!((counters.connections["authority"], counters.connections["authority-http"]), (3, 1));
    let who: Vec<_> = local.log().iter().filter_map(|entry| entry.who).collect();
    assert!(who.iter().all(|who| *who == Who::Application) && who.len() == 2 * authorities.len());
}

#[tokio::test]
async fn the_application_has_roles_of_its_own() {
    let local = Local::builder()
        .seed("db", "hunter2")
        .grant(Grant { who: Who::Application, role: Role::None, name: None })
        .start()
        .unwrap();
    let token = token_with(&local, &client_form(&local, "")).await;
    assert_eq!(reads_secret(&local, &token).await, 403);
    local.grant("application:secrets-user".parse().unwrap());
    assert_eq!(reads_secret(&local, &token).await, 200);
}

#[tokio::test]
async fn errors_are_those_of_entra_each_time() {
    let local = Local::builder().start().unwrap();
    let app = local.application();
    let (home, second) = (app.tenant(), app.second_tenant());
    let (id, secret, other) = (app.client_id(), app.secret(), app.restricted_client_id());
    let unknown = "11111111-2222-3333-4444-555555555555";
    let scope = "https://vault.azure.net/.default";
    let all = |id: &str, secret: &str, scope: &str| {
        form(&[
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
            ("scope", scope),
        ])
    };
    let longer = format!("{secret}0");
    let cases = [
        (home, all(id, "wrong", scope), 401, "invalid_client", 7000215),
        (home, all(id, &longer, scope), 401, "invalid_client", 7000215),
        (home, all(id, secret.get(1..).unwrap(), scope), 401, "invalid_client", 7000215),
        (home, all(id, app.expired_secret(), scope), 401, "invalid_client", 7000222),
        (home, all(id, "", scope), 401, "invalid_client", 7000218),
        (home, all(unknown, secret, scope), 400, "unauthorized_client", 700016),
        (second, all(other, secret, scope), 400, "unauthorized_client", 700016),
        (unknown, all(id, secret, scope), 400, "invalid_request", 90002),
        ("nobody.example", all(id, secret, scope), 400, "invalid_request", 90002),
        ("nobody", all(id, secret, scope), 400, "invalid_request", 900023),
        (home, all(id, secret, "https://vault.azure.net"), 400, "invalid_scope", 1002012),
        (home, all(id, secret, "a b/.default c/.default"), 400, "invalid_scope", 70011),
        (home, all(id, secret, "https://other.example/.default"), 400, "invalid_resource", 500011),
        (home, all(id, secret, ""), 400, "invalid_request", 900144),
        (home, all("", secret, scope), 400, "invalid_request", 900144),
        (home, form(&[("client_id", id)]), 400, "invalid_request", 900144),
        (
            home,
            form(&[("client_id", id), ("grant_type", "magic")]),
            400,
            "unsupported_grant_type",
            70003,
        ),
    ];
    for (tenant, body, status, error, code) in &cases {
        for _ in 0..2 {
            let reply = post_form(&local, &token_url(REAL, tenant), body).await;
            let body = reply.json();
            assert_eq!(
                (reply.status.as_u16(), &body["error"], error_code(&body)),
                (*status, &json!(error), *code),
                "{}",
                reply.text
            );
            assert!(!reply.text.contains(secret));
        }
    }
    assert_eq!(local.counters().tokens_issued, 0);
    for (tenant, is) in [(second, second), ("VAULTLET.example", home), ("common", home)] {
        let reply = post_form(&local, &token_url(REAL, tenant), &all(id, secret, scope)).await;
        let token = reply.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(claims_of(&token)["tid"], is);
        // The vaults belong to the home tenant.
        assert_eq!(reads_secret(&local, &token).await, if is == home { 404 } else { 401 });
    }
}

#[tokio::test]
async fn errors_have_every_field_of_entra() {
    let local = Local::builder().start().unwrap();
    let id = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let with = Options {
        method: Method::POST,
        headers: &[("client-request-id", id)],
        body: "client_id=x",
        ..Options::default()
    };
    let url = token_url(REAL, local.application().tenant());
    let reply = send(&local, &url, with).await;
    assert_eq!(reply.header("client-request-id"), id);
    assert_eq!(reply.header("cache-control"), "no-store, no-cache");
    let error = reply.json();
    let (trace, time) = (error["trace_id"].as_str().unwrap(), error["timestamp"].as_str().unwrap());
    let text = error["error_description"].as_str().unwrap();
    assert!(text.starts_with("AADSTS700016: Application with identifier 'x'"), "{text}");
    assert!(
        text.ends_with(&format!(" Trace ID: {trace} Correlation ID: {id} Timestamp: {time}")),
        "{text}"
    );
    assert_eq!(error["correlation_id"], id);
    assert_eq!(error["error_uri"], "https://login.microsoftonline.com/error?code=700016");
    assert!(time.len() == 20 && time.ends_with('Z') && time.as_bytes()[10] == b' ', "{time}");
}

#[tokio::test]
async fn version_one_answers_in_strings() {
    let local = Local::builder().start().unwrap();
    for tenant in [local.application().tenant(), "adfs"] {
        let url = format!("{REAL}/{tenant}/oauth2/token");
        let body =
            client_form(&local, "").replace("scope=", "resource=").replace("%2F.default", "");
        let response = post_form(&local, &url, &body).await.json();
        assert_eq!(
            (&response["expires_in"], &response["resource"]),
            (&json!("3599"), &json!(VAULT))
        );
        assert!(response["expires_on"].as_str().unwrap().parse::<u64>().is_ok());
        // The path that MSAL uses for AD FS.
        assert_eq!(post_form(&local, &url, &client_form(&local, "")).await.status, 200);
    }
}

#[tokio::test]
async fn a_secret_may_be_in_the_authorization_header() {
    let local = Local::builder().start().unwrap();
    let app = local.application();
    let url = token_url(REAL, app.tenant());
    let body =
        form(&[("grant_type", "client_credentials"), ("scope", &format!("{VAULT}/.default"))]);
    for (secret, status) in [(app.secret(), 200), ("wrong", 401)] {
        let secret = form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
        let basic = format!("Basic {}", STANDARD.encode(format!("{}:{secret}", app.client_id())));
        let headers = &[("authorization", basic.as_str())];
        let with = Options { method: Method::POST, headers, body: &body, ..Options::default() };
        assert_eq!(send(&local, &url, with).await.status, status);
    }
}

#[tokio::test]
async fn a_client_that_handles_claims_challenges_gets_a_long_lived_token() {
    let local = Local::builder().start().unwrap();
    let url = token_url(REAL, local.application().tenant());
    for (claims, lifetime, refresh, capability) in [
        (
            r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#,
            86_400,
            json!(43_200),
            json!(["CP1"]),
        ),
        (
            r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#,
            86_400,
            json!(43_200),
            json!(["CP1"]),
        ),
        (r#"{"access_token":{"nbf":{"essential":true}}}"#, 3_599, json!(null), json!(null)),
    ] {
        let body = client_form(&local, &format!("&{}", form(&[("claims", claims)])));
        let response = post_form(&local, &url, &body).await.json();
        assert_eq!(
            (&response["expires_in"], &response["refresh_in"]),
            (&json!(lifetime), &refresh)
        );
        assert_eq!(claims_of(response["access_token"].as_str().unwrap())["xms_cc"], capability);
    }
    let body = client_form(&local, "&claims=%7B");
    assert_eq!(error_code(&post_form(&local, &url, &body).await.json()), 9_002_313);
}

#[tokio::test]
async fn discovery_names_the_endpoint_that_was_asked() {
    let local = Local::builder().start().unwrap();
    let tenant = local.application().tenant();
    for authority in
        [REAL, "https://login.microsoftonline.us", local.authority(), local.authority_http()]
    {
        let url = format!("{authority}/{tenant}/v2.0/.well-known/openid-configuration");
        let document = send(&local, &url, Options::default()).await.json();
        assert_eq!(document["token_endpoint"], token_url(authority, tenant));
        assert_eq!(document["issuer"], format!("{authority}/{tenant}/v2.0"));
        let keys = document["jwks_uri"].as_str().unwrap();
        let keys = send(&local, keys, Options::default()).await.json();
        let key = &keys["keys"][0];
        assert_eq!((&key["kty"], &key["crv"]), (&json!("EC"), &json!("P-256")));
        assert_eq!(key["x"].as_str().unwrap().len(), 43);

        let url = format!("{authority}/common/v2.0/.well-known/openid-configuration");
        let document = send(&local, &url, Options::default()).await.json();
        assert_eq!(document["issuer"], format!("{authority}/{{tenantid}}/v2.0"));
        let url = format!("{authority}/{tenant}/.well-known/openid-configuration");
        let document = send(&local, &url, Options::default()).await.json();
        assert_eq!(document["token_endpoint"], format!("{authority}/{tenant}/oauth2/token"));
        assert_eq!(document["issuer"], format!("https://sts.windows.net/{tenant}/"));
    }
    let url = format!("{REAL}/nobody.example/v2.0/.well-known/openid-configuration");
    let reply = send(&local, &url, Options::default()).await;
    assert_eq!((reply.status.as_u16(), error_code(&reply.json())), (400, 90002));
}

#[tokio::test]
async fn a_signature_is_verified_with_the_published_key() {
    let local = Local::builder().start().unwrap();
    let url = format!("{REAL}/{}/discovery/v2.0/keys", local.application().tenant());
    let key = send(&local, &url, Options::default()).await.json()["keys"][0].clone();
    let text = |name: &str| key[name].as_str().unwrap().to_owned();
    let token = token_with(&local, &client_form(&local, "")).await;
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert_eq!(header.kid, Some(text("kid")));
    let key = jsonwebtoken::DecodingKey::from_ec_components(&text("x"), &text("y")).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.set_audience(&[VAULT]);
    assert!(jsonwebtoken::decode::<serde_json::Value>(&token, &key, &validation).is_ok());
}

#[tokio::test]
async fn an_instance_request_tells_known_hosts_from_unknown_ones() {
    let local = Local::builder().start().unwrap();
    let tenant = local.application().tenant();
    let ask = async |at: &str, instance: &str, version: &str| {
        let endpoint = format!("{instance}/{tenant}/oauth2/v2.0/authorize");
        let query = form(&[("api-version", version), ("authorization_endpoint", &endpoint)]);
        send(&local, &format!("{at}/common/discovery/instance?{query}"), Options::default()).await
    };
    for instance in
        [REAL, "https://westeurope.login.microsoft.com", local.authority(), local.authority_http()]
    {
        let expected = format!("{instance}/{tenant}/v2.0/.well-known/openid-configuration");
        for at in [REAL, local.authority()] {
            let old = ask(at, instance, "1.0").await.json();
            assert_eq!(old["tenant_discovery_endpoint"], expected);
            assert_eq!(old.get("metadata"), None);
            let new = ask(at, instance, "1.1").await.json();
            assert_eq!(new["tenant_discovery_endpoint"], expected);
            let host = local.authority().trim_start_matches("https://");
            let known = |host: &str| {
                new["metadata"].as_array().unwrap().iter().any(|entry| {
                    entry["aliases"].as_array().unwrap().contains(&json!(host))
                        && entry["preferred_network"].is_string()
                })
            };
            assert!(
                known("login.microsoftonline.com") && known("login.windows.net") && known(host)
            );
        }
    }
    // MSAL for Python omits the port in its request, but requires it in the response.
    let document = ask(REAL, "https://localhost", "1.0").await.json();
    let expected = format!("{}/{tenant}/v2.0/.well-known/openid-configuration", local.authority());
    assert_eq!(document["tenant_discovery_endpoint"], expected);
    for instance in
        ["https://login.example", "http://login.microsoftonline.com", "https://localhost:1"]
    {
        let reply = ask(REAL, instance, "1.1").await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["error"]),
            (400, &json!("invalid_instance"))
        );
    }
}

#[tokio::test]
async fn the_domain_of_a_user_is_managed_or_unknown() {
    let local = Local::builder().start().unwrap();
    for (user, kind) in [
        ("user@vaultlet.example", "Managed"),
        ("user%40vaultlet.example", "Managed"),
        ("user@other.example", "Unknown"),
        ("user", "Unknown"),
    ] {
        // MSAL for Go encodes the `@`.
        for path in ["userrealm", "UserRealm"] {
            let url = format!("{REAL}/common/{path}/{user}?api-version=1.0");
            assert_eq!(send(&local, &url, Options::default()).await.json()["account_type"], kind);
        }
    }
}

#[tokio::test]
async fn loopback_endpoints_refuse_other_hosts_and_forwarded_requests() {
    let local = Local::builder().start().unwrap();
    let path = "/common/userrealm/user@vaultlet.example";
    for authority in [local.authority(), local.authority_http()] {
        let url = format!("{authority}{path}");
        for (headers, status) in [
            (&[][..], 200),
            (&[("host", "attacker.example")], 421),
            (&[("host", "localhost")], 421),
            (&[("x-forwarded-for", "10.0.0.1")], 400),
            (&[("forwarded", "for=10.0.0.1")], 400),
        ] {
            let with = Options { headers, ..Options::default() };
            assert_eq!(send(&local, &url, with).await.status, status, "{authority} {headers:?}");
        }
    }
    let url = token_url(local.authority(), local.application().tenant());
    assert_eq!(send(&local, &url, Options::default()).await.status, 405);
    let large = "x".repeat(70_000);
    assert_eq!(post_form(&local, &url, &large).await.status, 413);
    assert_eq!(
        send(&local, &format!("{}/x", local.authority()), Options::default()).await.status,
        404
    );
}

#[tokio::test]
async fn an_injected_failure_applies_to_one_request() {
    let local = Local::builder().start().unwrap();
    let url = token_url(REAL, local.application().tenant());
    let control = format!("{}/fault", local.control());
    for (code, status, error) in [
        (53003, 400, "invalid_grant"),
        (50076, 400, "interaction_required"),
        (90033, 503, "temporarily_unavailable"),
        (7000222, 401, "invalid_client"),
    ] {
        let body = format!("{{\"code\":\"AADSTS{code}\"}}");
        let with = Options { method: Method::POST, body: &body, ..Options::default() };
        assert_eq!(send(&local, &control, with).await.status, 204);
        let reply = post_form(&local, &url, &client_form(&local, "")).await;
        let body = reply.json();
        assert_eq!(
            (reply.status.as_u16(), &body["error"], error_code(&body)),
            (status, &json!(error), code)
        );
        assert_eq!(body["claims"].is_string(), [53003, 50076].contains(&code));
        assert_eq!(post_form(&local, &url, &client_form(&local, "")).await.status, 200);
    }
    assert!(local.fail_next_token("AADSTS65001") && !local.fail_next_token("AADSTS1"));
    for body in ["{}", r#"{"code":"AADSTS1"}"#, r#"{"code":"x"}"#] {
        let with = Options { method: Method::POST, body, ..Options::default() };
        assert_eq!(send(&local, &control, with).await.status, 400);
    }
}

#[tokio::test]
async fn debug_text_contains_no_secret_of_the_application() {
    let local = Local::builder().identity_form(Form::ClientSecret).start().unwrap();
    let app = local.application();
    let text = format!("{app:?} {local:?} {:?}", local.log());
    for secret in [app.secret(), app.expired_secret(), app.password()] {
        assert!(!text.contains(secret));
    }
    assert_eq!(variable(&local, "AZURE_CLIENT_SECRET"), app.secret());
}

/// The status of a vault's response to this token.
async fn reads_secret(local: &Local, token: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    let headers = &[("authorization", bearer.as_str())];
    let url = "https://job.vault.azure.net/secrets/db?api-version=2025-07-01";
    send(local, url, Options { headers, ..Options::default() }).await.status.as_u16()
}
