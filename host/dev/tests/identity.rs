//! The identity endpoints over real sockets, one identity form after the other.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use http::Method;
use serde_json::{Value, json};
use support::{
    Options, Reply, claims_of, form, managed_token, send, token_with, user_token, variable,
};
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
async fn azure_ml_errors_are_text_or_json() {
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
        let reply = send(&local, &url, Options { headers, ..Options::default() }).await;
        assert_eq!(
            (reply.status.as_u16(), reply.text.as_str()),
            (401, "Invalid secret token header: .")
        );
    }
    let headers = &[("secret", secret)];
    let old = url.replace("2017-09-01", "2018-02-01");
    assert_eq!(send(&local, &old, Options { headers, ..Options::default() }).await.status, 400);
    let post = Options { method: Method::POST, headers, ..Options::default() };
    assert_eq!(send(&local, &url, post).await.status, 405);
    assert_eq!(local.counters().tokens_issued, 0);
}

#[tokio::test]
async fn app_service_answers_in_strings() {
    let local = Local::builder().identity_form(Form::AppService).start().unwrap();
    let endpoint = variable(&local, "IDENTITY_ENDPOINT");
    let ask = async |query: &str, secret: &str| {
        let url = format!("{endpoint}?api-version=2019-08-01{query}");
        send(
            &local,
            &url,
            Options { headers: &[("X-IDENTITY-HEADER", secret)], ..Options::default() },
        )
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
        send(&local, &url, Options { headers, ..Options::default() }).await
    };
    let good = format!("?api-version=2018-02-01&resource={VAULT}");
    let body = ask(&good, &[("metadata", "true")]).await.json();
    for field in ["expires_in", "expires_on", "ext_expires_in", "not_before"] {
        assert!(body[field].as_str().unwrap().parse::<u64>().is_ok(), "{field}");
    }
    for (query, headers, text) in [
        // The probe of the SDKs, which takes any response for a sign of life.
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
async fn tokens_have_the_claims_of_entra() {
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
async fn obo_requires_a_resource_only() {
    let local = Local::builder().run_as(Who::User).start().unwrap();
    let endpoint = variable(&local, "OBO_ENDPOINT");
    let body =
        send(&local, &format!("{endpoint}?resource={VAULT}"), Options::default()).await.json();
    assert!(body["expires_on"].is_u64() && body["access_token"].is_string());
    assert_eq!(send(&local, endpoint, Options::default()).await.status, 400);
    let counters = local.counters();
    assert_eq!((counters.identity["azure-ml-obo"], counters.tokens_issued), (2, 1));
}

#[tokio::test]
async fn arc_accepts_the_key_in_its_file_once() {
    let local = Local::builder().identity_form(Form::AzureArc).start().unwrap();
    let endpoint = variable(&local, "IDENTITY_ENDPOINT");
    let folder = variable(&local, "VAULTLET_ARC_KEY_FOLDER");
    let ask = async |query: &str, key: Option<&str>| {
        let url = format!("{endpoint}?api-version=2020-06-01&resource={VAULT}{query}");
        let basic = key.map(|key| format!("Basic {key}"));
        let mut headers = vec![("metadata", "true")];
        headers.extend(basic.as_deref().map(|basic| ("authorization", basic)));
        send(&local, &url, Options { headers: &headers, ..Options::default() }).await
    };
    let path = |reply: &Reply| {
        assert_eq!(reply.status, 401);
        reply.header("www-authenticate").strip_prefix("Basic realm=").unwrap().to_owned()
    };
    let key = |path: &str| {
        assert!(path.starts_with(folder) && path.ends_with(".key"), "{path}");
        let mode = std::fs::metadata(path).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
        std::fs::read_to_string(path).unwrap()
    };
    let id = "c0ffee00-0000-4000-8000-0000000000a1";
    for (query, status, named) in [
        ("".to_owned(), 200, json!(null)),
        (format!("&client_id={id}"), 200, json!(id)),
        (format!("&client_id={UNKNOWN}"), 404, json!(null)),
        (format!("&msi_res_id={UNKNOWN}"), 404, json!(null)),
    ] {
        let at = path(&ask(&query, None).await);
        let key = key(&at);
        let reply = ask(&query, Some(&key)).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        assert_eq!(reply.json()["client_id"], named);
        // The key is used up and its file removed.
        for _ in 0..2 {
            assert_eq!(ask(&query, Some(&key)).await.status, 403);
        }
        assert!(!std::path::Path::new(&at).exists());
    }
    assert_eq!(ask("", Some("wrong")).await.status, 403);
    // A caller that never uses its keys does not fill the folder.
    for _ in 0..20 {
        ask("", None).await;
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 16);
    let url = format!("{endpoint}?api-version=2020-06-01&resource={VAULT}");
    assert_eq!(send(&local, &url, Options::default()).await.status, 400);
}

#[tokio::test]
async fn service_fabric_is_identified_by_its_thumbprint() {
    let local = Local::builder().identity_form(Form::ServiceFabric).start().unwrap();
    let endpoint = variable(&local, "IDENTITY_ENDPOINT");
    let secret = variable(&local, "IDENTITY_HEADER");
    let ask = async |query: &str, headers: &[(&str, &str)]| {
        let with = Options { headers, trusting: true, ..Options::default() };
        let reply = send(&local, &format!("{endpoint}?{query}"), with).await;
        assert_eq!(
            reply.thumbprint.as_deref(),
            Some(variable(&local, "IDENTITY_SERVER_THUMBPRINT"))
        );
        reply
    };
    for version in ["2019-07-01-preview", "2020-05-01"] {
        let query = format!("api-version={version}&resource={VAULT}");
        let body = ask(&query, &[("secret", secret)]).await.json();
        assert!(body["expires_on"].as_str().unwrap().parse::<u64>().is_ok());
        assert_eq!(claims(&body).get("xms_cc"), None);
        let body = ask(&format!("{query}&xms_cc=cp1"), &[("secret", secret)]).await.json();
        assert_eq!(claims(&body)["xms_cc"], json!(["CP1"]));
    }
    let good = format!("api-version=2020-05-01&resource={VAULT}");
    for (query, headers, status, code) in [
        (&*good, &[][..], 401, "SecretHeaderNotFound"),
        (&*good, &[("secret", "wrong")], 401, "SecretHeaderNotFound"),
        ("api-version=1", &[("secret", secret)], 400, "InvalidApiVersion"),
        ("api-version=2020-05-01", &[("secret", secret)], 400, "ArgumentNullOrEmpty"),
        (
            &*format!("{good}&principalId={UNKNOWN}"),
            &[("secret", secret)],
            404,
            "ManagedIdentityNotFound",
        ),
    ] {
        for _ in 0..2 {
            let reply = ask(query, headers).await;
            let code = json!(code);
            assert_eq!((reply.status.as_u16(), &reply.json()["error"]["code"]), (status, &code));
        }
    }
    let counters = local.counters();
    assert_eq!((counters.identity["service-fabric"], counters.tokens_issued), (14, 4));
}

#[tokio::test]
async fn cloud_shell_takes_a_form_and_no_choice_of_identity() {
    let local = Local::builder().identity_form(Form::CloudShell).start().unwrap();
    let endpoint = variable(&local, "MSI_ENDPOINT");
    let ask = async |body: &str, headers: &[(&str, &str)]| {
        let with = Options { method: Method::POST, headers, body, ..Options::default() };
        send(&local, endpoint, with).await
    };
    let good = "resource=https%3A%2F%2Fvault.azure.net";
    let body = ask(good, &[("metadata", "true")]).await.json();
    assert!(body["expires_on"].as_str().unwrap().parse::<u64>().is_ok());
    assert_eq!(claims(&body)["aud"], VAULT);
    let named = format!("{good}&client_id={UNKNOWN}");
    for (body, headers) in [
        (good, &[][..]),
        ("", &[("metadata", "true")]),
        (&*named, &[("metadata", "true")]),
        (good, &[("metadata", "true"), ("x-forwarded-for", "a")]),
    ] {
        for _ in 0..2 {
            assert_eq!(ask(body, headers).await.status, 400);
        }
    }
    assert_eq!(send(&local, endpoint, Options::default()).await.status, 405);
}

#[tokio::test]
async fn a_pipeline_gets_a_token_for_its_service_connection() {
    let local = Local::builder().identity_form(Form::AzurePipelines).start().unwrap();
    let endpoint = variable(&local, "SYSTEM_OIDCREQUESTURI");
    let connection = variable(&local, "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID");
    let bearer = format!("Bearer {}", variable(&local, "SYSTEM_ACCESSTOKEN"));
    let ask = async |query: &str, headers: &[(&str, &str)]| {
        let with = Options { method: Method::POST, headers, ..Options::default() };
        send(&local, &format!("{endpoint}?{query}"), with).await
    };
    let suppress = ("x-tfs-fedauthredirect", "Suppress");
    let good = format!("api-version=7.1&serviceConnectionId={connection}");
    let other = format!("api-version=7.1&serviceConnectionId={UNKNOWN}");
    let authorized = &[("authorization", bearer.as_str()), suppress][..];
    for (query, headers, status) in [
        (&*good, &[suppress][..], 401),
        (&*good, &[("authorization", "Bearer wrong"), suppress], 401),
        (&*good, &[("authorization", "Bearer wrong")], 302),
        (&*other, authorized, 404),
        ("", authorized, 400),
    ] {
        for _ in 0..2 {
            assert_eq!(ask(query, headers).await.status, status, "{query} {headers:?}");
        }
    }
    let reply = ask(&good, authorized).await.json();
    let token = reply["oidcToken"].as_str().unwrap();
    assert_eq!(claims_of(token)["aud"], "api://AzureADTokenExchange");
    let body = form(&[
        ("grant_type", "client_credentials"),
        ("client_id", variable(&local, "AZURESUBSCRIPTION_CLIENT_ID")),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", token),
        ("scope", "https://vault.azure.net/.default"),
    ]);
    assert_eq!(claims_of(&token_with(&local, &body).await)["idtyp"], "app");
}

#[tokio::test]
async fn a_spark_job_gets_its_users_token() {
    let local = Local::builder().identity_form(Form::Spark).start().unwrap();
    let set = |name| variable(&local, name);
    let canary = set("AZUREML_OBO_CANARY_TOKEN");
    let url = format!(
        "https://{}/api/v1/proxy/obotoken/v1.0/subscriptions/{}/resourceGroups/{}/providers/\
         Microsoft.MachineLearningServices/workspaces/{}/getuseraccesstokenforspark",
        set("AZUREML_SYNAPSE_TOKEN_SERVICE_ENDPOINT"),
        set("AZUREML_ARM_SUBSCRIPTION"),
        set("AZUREML_ARM_RESOURCEGROUP"),
        set("AZUREML_ARM_WORKSPACE_NAME"),
    );
    let good = json!({
        "oboToken": canary,
        "oid": set("OID"),
        "tid": set("TID"),
        "resource": VAULT,
        "experimentName": set("AZUREML_ARM_PROJECT_NAME"),
        "runId": set("AZUREML_RUN_ID"),
    });
    let headers = [
        ("content-type", "application/json;charset=utf-8"),
        ("x-ms-proxy-host", set("AZUREML_OBO_SERVICE_ENDPOINT")),
        ("obo-access-token", canary),
        ("x-ms-cluster-identifier", set("AZUREML_SYNAPSE_CLUSTER_IDENTIFIER")),
    ];
    let ask = async |url: &str, body: &Value, headers: &[(&str, &str)]| {
        let body = body.to_string();
        let with = Options { method: Method::POST, headers, body: &body, ..Options::default() };
        send(&local, url, with).await
    };
    let with = |name: &str, value: &str| {
        let mut body = good.clone();
        body[name] = value.into();
        body
    };
    for (url, body, headers, status) in [
        (&*url, with("oboToken", "wrong"), &headers[..], 401),
        (&*url, with("oid", UNKNOWN), &headers, 401),
        (&*url, with("tid", UNKNOWN), &headers, 401),
        (&*url, with("resource", ""), &headers, 400),
        (&*url, json!({}), &headers, 400),
        (&*url, good.clone(), &headers[..2], 401),
        (&*url, good.clone(), &headers[..3], 400),
        (&*format!("{url}x"), good.clone(), &headers, 404),
    ] {
        for _ in 0..2 {
            assert_eq!(ask(url, &body, headers).await.status, status, "{url} {body}");
        }
    }
    let body = ask(&url, &good, &headers).await.json();
    assert_eq!(claims(&body)["idtyp"], "user");
    assert_eq!(local.counters().tokens_issued, 1);
}

#[tokio::test]
async fn endpoints_serve_programs_on_this_machine_only() {
    let local = Local::builder().run_as(Who::User).start().unwrap();
    let url = format!("{}?resource={VAULT}", variable(&local, "OBO_ENDPOINT"));
    let port = url.split([':', '/']).nth(4).unwrap();
    let localhost = format!("localhost:{port}");
    for (headers, status) in [
        (&[("host", "attacker.example")][..], 421),
        (&[("host", "127.0.0.1")], 421),
        (&[("host", "127.0.0.1:1")], 421),
        (&[("x-forwarded-for", "10.0.0.1")], 400),
        (&[("forwarded", "for=10.0.0.1")], 400),
        (&[("host", localhost.as_str())], 200),
    ] {
        for _ in 0..2 {
            let reply = send(&local, &url, Options { headers, ..Options::default() }).await;
            assert_eq!(reply.status, status, "{headers:?}");
        }
    }
}

async fn azure_ml(local: &Local, query: &str) -> Reply {
    let url = format!("{}?api-version=2017-09-01{query}", variable(local, "MSI_ENDPOINT"));
    let headers = &[("secret", variable(local, "MSI_SECRET"))];
    send(local, &url, Options { headers, ..Options::default() }).await
}

fn claims(body: &Value) -> Value {
    claims_of(body["access_token"].as_str().unwrap())
}
