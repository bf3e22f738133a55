//! Device codes: a program polls until a user approves or declines.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use http::Method;
use serde_json::{Value, json};
use support::{Options, REAL, Reply, claims_of, error_code, form, post_form, send, token_url};
use vaultlet_dev::Local;

const SCOPE: &str = "https://vault.azure.net/.default";

#[tokio::test]
async fn a_device_code_is_polled_until_the_user_decides() {
    // With an hour between polls, each poll but the first is too early.
    let local = Local::builder().device_code(900, 3600).start().unwrap();
    let control = format!("{}/device", local.control());
    for approve in [true, false] {
        let code = begin(&local).await;
        assert_eq!((&code["expires_in"], &code["interval"]), (&json!(900), &json!(3600)));
        let device = code["device_code"].as_str().unwrap();
        let first = poll(&local, device).await.json();
        assert_eq!((&first["error"], error_code(&first)), (&json!("authorization_pending"), 70016));
        assert_eq!(poll(&local, device).await.json()["error"], "slow_down");
        let decision = json!({"userCode": code["user_code"], "approve": approve}).to_string();
        let with = || Options { method: Method::POST, body: &decision, ..Options::default() };
        assert_eq!(send(&local, &control, with()).await.status, 204);
        // A decision is final.
        assert_eq!(send(&local, &control, with()).await.status, 404);
        let reply = poll(&local, device).await;
        if approve {
            let claims = claims_of(reply.json()["access_token"].as_str().unwrap());
            assert_eq!(claims["upn"], "user@vaultlet.example");
        } else {
            assert_eq!(reply.json()["error"], "authorization_declined");
        }
        for _ in 0..2 {
            assert_eq!(error_code(&poll(&local, device).await.json()), 70018);
        }
    }
    assert_eq!(error_code(&poll(&local, "unknown").await.json()), 70018);
}

#[tokio::test]
async fn device_codes_expire() {
    let local = Local::builder().device_code(0, 0).start().unwrap();
    let code = begin(&local).await;
    for _ in 0..2 {
        let error = poll(&local, code["device_code"].as_str().unwrap()).await.json();
        assert_eq!((&error["error"], error_code(&error)), (&json!("expired_token"), 70020));
    }
    assert!(!local.decide_device(code["user_code"].as_str().unwrap(), true));
    let app = local.application();
    let url = format!("{REAL}/{}/oauth2/v2.0/devicecode", app.tenant());
    for (id, scope, code) in [
        (app.restricted_client_id(), SCOPE, 7_000_218),
        ("x", SCOPE, 700_016),
        (app.client_id(), "", 900_144),
    ] {
        let reply = post_form(&local, &url, &form(&[("client_id", id), ("scope", scope)])).await;
        assert_eq!(error_code(&reply.json()), code);
    }
}

#[tokio::test]
async fn the_page_approves_a_code_but_not_for_other_origins() {
    let local = Local::builder().device_code(900, 0).start().unwrap();
    let code = begin(&local).await;
    let page = code["verification_uri"].as_str().unwrap();
    assert!(page.starts_with(local.authority_http()));
    assert!(code["message"].as_str().unwrap().contains(page));
    let shown = send(&local, page, Options::default()).await;
    assert_eq!(shown.header("content-type"), "text/html; charset=utf-8");
    assert!(shown.text.contains("name=\"userCode\""));
    let user_code = code["user_code"].as_str().unwrap().to_ascii_lowercase();
    let body = form(&[("userCode", &user_code), ("approve", "true")]);
    let own = local.authority_http();
    for (origin, status) in [("http://page.example", 403), (own, 200), (own, 404)] {
        let headers = &[("origin", origin)];
        let with = Options { method: Method::POST, headers, body: &body, ..Options::default() };
        assert_eq!(send(&local, page, with).await.status, status, "{origin}");
    }
    assert_eq!(poll(&local, code["device_code"].as_str().unwrap()).await.status, 200);
}

async fn begin(local: &Local) -> Value {
    let app = local.application();
    let url = format!("{REAL}/{}/oauth2/v2.0/devicecode", app.tenant());
    let body =
        form(&[("client_id", app.client_id()), ("scope", &format!("{SCOPE} offline_access"))]);
    post_form(local, &url, &body).await.json()
}

async fn poll(local: &Local, device_code: &str) -> Reply {
    let app = local.application();
    let body = form(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", app.client_id()),
        ("device_code", device_code),
    ]);
    post_form(local, &token_url(REAL, app.tenant()), &body).await
}
