//! The identity endpoints over real sockets, each in its own form.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which may fail so"
)]

mod support;

use http::Method;
use serde_json::{Value, json};
use support::{Reply, With, claims_of, managed_token, send, user_token, variable};
use vaultlet_dev::{Form, Local, Who};

const VAULT: &str = "https://vault.azure.net";
const UNKNOWN: &str = "11111111-2222-3333-4444-555555555555";

#[tokio::test]
async fn azure_ml_answers_in_numbers() {
    let local = Local::builder().token_lifetime(3600).start().unwrap();
    let reply = azure_ml(&local, &format!("&resource={VAULT}")).await;
    let body = reply.json();
    assert_eq!(body["expires_in"], 3600);
    assert!(body["expires_on"].is_u64());
    assert_eq!((&body["resource"], &body["token_type"]), (&json!(VAULT), &json!("Bearer")));

    let id = variable(&local, "DEFAULT_IDENTITY_CLIENT_ID").to_ascii_uppercase();
    for query in [format!("&clientid={id}"), "&clientid=".to_owned()] {
        let reply = azure_ml(&local, &format!("&resource={VAULT}{query}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
}

#[tokio::test]
async fn azure_ml_refuses_in_text_and_json() {
    let local = Local::builder().start().unwrap();
    let unknown = azure_ml(&local, &format!("&resource={VAULT}&clientid={UNKNOWN}")).await;
    assert_eq!(unknown.status, 400);
    assert_eq!(unknown.header("content-type"), "text/plain; charset=utf-8");
    assert!(unknown.text.starts_with("InternalError - :{\nInfo: Request failure status code: 404"));

    for query in ["", "&resource=", &format!("&resource={VAULT}&object_id=x")] {
        let reply = azure_ml(&local, query).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["error"]["code"]),
            (400, &json!("BadRequest"))
        );
    }

    let url =
        format!("{}?api-version=2017-09-01&resource={VAULT}", variable(&local, "MSI_ENDPOINT"));
    let secret = variable(&local, "MSI_SECRET");
    let longer = format!("{secret}0");
    for headers in [
        &[][..],
        &[("secret", "")],
        &[("secret", secret.get(1..).unwrap())],
        &[("secret", &longer)],
    ] {
        let reply = send(&local, &url, With { headers, ..With::default() }).await;
        assert_eq!(
            (reply.status.as_u16(), reply.text.as_str()),
            (401, "Invalid secret token header: .")
        );
    }
    let headers = &[("secret", secret)];
    let old = url.replace("2017-09-01", "2018-02-01");
    assert_eq!(send(&local, &old, With { headers, ..With::default() }).await.status, 400);
    let post = With { method: Method::POST, headers, ..With::default() };
    assert_eq!(send(&local, &url, post).await.status, 405);
    assert_eq!(local.counters().tokens_issued, 0);
}

#[tokio::test]
async fn app_service_answers_in_strings() {
    let local = Local::builder().identity_form(Form::AppService).start().unwrap();
    let endpoint = variable(&local, "IDENTITY_ENDPOINT");
    let ask = async |query: &str, secret: &str| {
        let url = format!("{endpoint}?api-version=2019-08-01{query}");
        send(&local, &url, With { headers: &[("X-IDENTITY-HEADER", secret)], ..With::default() })
            .await
    };
    let secret = variable(&local, "IDENTITY_HEADER");
    let body = ask(&format!("&resource={VAULT}"), secret).await.json();
    assert!(body["expires_on"].as_str().unwrap().parse::<u64>().is_ok());
    assert_eq!(claims(&body)["appid"], body["client_id"]);

    let named = format!("&resource={VAULT}&client_id={}", body["client_id"].as_str().unwrap());
    assert_eq!(ask(&named, secret).await.status, 200);
    for id in ["client_id", "object_id", "mi_res_id"] {
        let reply = ask(&format!("&resource={VAULT}&{id}={UNKNOWN}"), secret).await;
        let error = reply.json();
        assert_eq!((reply.status.as_u16(), &error["statusCode"]), (400, &json!(400)));
        assert!(error["message"].as_str().unwrap().starts_with("No User Assigned or Delegated"));
    }
    assert_eq!(ask(&format!("&resource={VAULT}"), "wrong").await.status, 401);
    assert_eq!(ask("", secret).await.status, 400);
}

#[tokio::test]
async fn imds_answers_in_strings() {
    let local = Local::builder().identity_form(Form::Imds).start().unwrap();
    let host = variable(&local, "AZURE_POD_IDENTITY_AUTHORITY_HOST");
    let ask = async |query: &str, headers: &[(&str, &str)]| {
        let url = format!("{host}/metadata/identity/oauth2/token{query}");
        send(&local, &url, With { headers, ..With::default() }).await
    };
    let good = format!("?api-version=2018-02-01&resource={VAULT}");
    let body = ask(&good, &[("metadata", "true")]).await.json();
    for field in ["expires_in", "expires_on", "ext_expires_in", "not_before"] {
        assert!(body[field].as_str().unwrap().parse::<u64>().is_ok(), "{field}");
    }
    for (query, headers, text) in [
        // The probe of the SDKs: any answer will do.
        ("", &[][..], "Required metadata header not specified"),
        (
            &*good,
            &[("metadata", "true"), ("x-forwarded-for", "a")],
            "Required metadata header not specified",
        ),
        (
            "?resource=x",
            &[("metadata", "true")],
            "Required query variable 'api-version' is missing",
        ),
        (
            "?api-version=2018-02-01",
            &[("metadata", "true")],
            "Required query variable 'resource' is missing",
        ),
        (&*format!("{good}&client_id={UNKNOWN}"), &[("metadata", "true")], "Identity not found"),
        (&*format!("{good}&msi_res_id=/x"), &[("metadata", "true")], "Identity not found"),
    ] {
        let reply = ask(query, headers).await;
        assert_eq!(reply.status, 400);
        assert_eq!(reply.json(), json!({"error": "invalid_request", "error_description": text}));
    }
}

#[tokio::test]
async fn tokens_say_what_the_real_ones_say() {
    let local = Local::builder().run_as(Who::User).start().unwrap();
    let managed = claims_of(&managed_token(&local, VAULT).await);
    let user = claims_of(&user_token(&local, VAULT).await);
    for claims in [&managed, &user] {
        let tenant = claims["tid"].as_str().unwrap();
        assert_eq!(claims["aud"], VAULT);
        assert_eq!(claims["iss"], format!("https://sts.windows.net/{tenant}/"));
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 86_400);
        assert!(claims["nbf"].as_u64() <= claims["iat"].as_u64());
        assert_eq!(claims["ver"], "1.0");
    }
    assert_eq!(managed["appid"], variable(&local, "DEFAULT_IDENTITY_CLIENT_ID"));
    assert_eq!((&managed["idtyp"], managed.get("upn")), (&json!("app"), None));
    assert_eq!((&user["idtyp"], &user["upn"]), (&json!("user"), &json!("user@vaultlet.example")));
    assert_ne!(managed["oid"], user["oid"]);
}

#[tokio::test]
async fn obo_wants_a_resource_and_nothing_else() {
    let local = Local::builder().run_as(Who::User).start().unwrap();
    let endpoint = variable(&local, "OBO_ENDPOINT");
    let body = send(&local, &format!("{endpoint}?resource={VAULT}"), With::default()).await.json();
    assert!(body["expires_on"].is_u64() && body["access_token"].is_string());
    assert_eq!(send(&local, endpoint, With::default()).await.status, 400);
    let counters = local.counters();
    assert_eq!((counters.identity["azure-ml-obo"], counters.tokens_issued), (2, 1));
}

async fn azure_ml(local: &Local, query: &str) -> Reply {
    let url = format!("{}?api-version=2017-09-01{query}", variable(local, "MSI_ENDPOINT"));
    let headers = &[("secret", variable(local, "MSI_SECRET"))];
    send(local, &url, With { headers, ..With::default() }).await
}

fn claims(body: &Value) -> Value {
    claims_of(body["access_token"].as_str().unwrap())
}
