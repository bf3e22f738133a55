//! The vault over real sockets, at each of its addresses.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use http::Method;
use serde_json::{Value, json};
use support::{Options, Reply, managed_token, send, user_token};
use vaultlet_dev::{Grant, Local, Role, Seed, Who};

const VERSION: &str = "api-version=2025-07-01";

#[tokio::test]
async fn a_secret_is_read_at_every_address() {
    let local = Local::builder().vault("my-key-vault").seed("db", "hunter2").start().unwrap();
    let vault = local.vault("My-Key-Vault").unwrap().clone();
    for (origin, audience) in [
        (vault.url().to_owned(), "https://vault.azure.net".to_owned()),
        ("https://my-key-vault.vault.azure.cn".into(), "https://vault.azure.cn".into()),
        (
            "https://my-key-vault.vault.usgovcloudapi.net".into(),
            "https://vault.usgovcloudapi.net".into(),
        ),
        (vault.localhost().to_owned(), vault.localhost().replace("my-key-vault.", "")),
        (vault.http().to_owned(), vault.http().to_owned()),
    ] {
        for h2 in [false, true] {
            let url = format!("{origin}/secrets/db/?{VERSION}");
            let refused = send(&local, &url, Options { h2, ..Options::default() }).await;
            assert_eq!(refused.status, 401);
            let challenge = refused.header("www-authenticate");
            assert!(challenge.ends_with(&format!(", resource=\"{audience}\"")), "{challenge}");

            let bearer = format!("Bearer {}", managed_token(&local, &audience).await);
            let headers = [("authorization", bearer.as_str())];
            let reply =
                send(&local, &url, Options { headers: &headers, h2, ..Options::default() }).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            let bundle = reply.json();
            assert_eq!(bundle["value"], "hunter2");
            assert!(bundle["id"].as_str().unwrap().starts_with(&format!("{origin}/secrets/db/")));
        }
    }
}

#[tokio::test]
async fn responses_are_those_of_key_vault() {
    let seed = Seed::from("v\u{e4}lue\r\n\"quoted\"")
        .with_content_type("text/plain")
        .with_tag("team", "search")
        .with_expires(32_503_680_000);
    let local = Local::builder().seed("Db", seed).start().unwrap();
    let job = Job::managed(&local).await;

    let headers = &[("x-ms-client-request-id", "mine")];
    let reply = job.send(Method::GET, "/secrets/DB", "", headers).await;
    for (name, value) in [
        ("cache-control", "no-cache"),
        ("pragma", "no-cache"),
        ("expires", "-1"),
        ("content-type", "application/json; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("x-ms-client-request-id", "mine"),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    assert_eq!(reply.header("x-ms-request-id").len(), 36);
    let bundle = reply.json();
    let id = bundle["id"].as_str().unwrap();
    let (base, version) = id.rsplit_once('/').unwrap();
    assert_eq!(base, "https://job.vault.azure.net/secrets/Db");
    assert!(version.len() == 32 && version.bytes().all(|b| b"0123456789abcdef".contains(&b)));
    let created = bundle["attributes"]["created"].clone();
    assert!(created.is_u64());
    assert_eq!(
        bundle,
        json!({
            "value": "v\u{e4}lue\r\n\"quoted\"",
            "contentType": "text/plain",
            "id": id,
            "attributes": {
                "enabled": true,
                "exp": 32_503_680_000_i64,
                "created": created,
                "updated": created,
                "recoveryLevel": "Recoverable+Purgeable",
                "recoverableDays": 90,
            },
            "tags": {"team": "search"},
        })
    );

    let old = job.at_version(Method::GET, "/secrets/db", "", &[], Some("7.0")).await.json();
    assert_eq!(old["attributes"].get("recoverableDays"), None);
}

#[tokio::test]
async fn every_set_adds_a_version() {
    let local = Local::builder().start().unwrap();
    let job = Job::managed(&local).await;
    let put = |body: &'static str| job.send(Method::PUT, "/secrets/new-one", body, &[]);

    let first = put(r#"{"value":"one"}"#).await;
    assert_eq!((first.status.as_u16(), &first.json()["value"]), (200, &json!("one")));
    let second = put(r#"{"value":"","contentType":"t","tags":{"a":"b"},
            "attributes":{"enabled":true,"nbf":1893456000,"exp":null}}"#)
    .await
    .json();
    assert_eq!(second["value"], "");
    assert_eq!(second["attributes"]["nbf"], 1_893_456_000);
    assert_eq!(second["tags"], json!({"a": "b"}));

    // The activation date in 2030 is informational.
    let latest = job.get("/secrets/new-one/").await.json();
    assert_eq!(latest["id"], second["id"]);
    let path = first.json()["id"].as_str().unwrap().split(".net").nth(1).unwrap().to_owned();
    assert_eq!(job.get(&path).await.json()["value"], "one");

    let disabled = put(r#"{"value":"hidden","attributes":{"enabled":false}}"#).await.json();
    assert_eq!(disabled["value"], "hidden");
    let refused = job.get("/secrets/new-one").await;
    assert_error(
        &refused,
        403,
        "Forbidden",
        Some("SecretDisabled"),
        "Operation get is not allowed on a disabled secret.",
    );
    assert_eq!(job.get(&path).await.status, 200);
}

#[tokio::test]
async fn limits_apply_to_set_requests() {
    let local = Local::builder().start().unwrap();
    let job = Job::managed(&local).await;
    let set = async |body: Value| {
        job.send(Method::PUT, "/secrets/a", &body.to_string(), &[]).await.status.as_u16()
    };
    assert_eq!(set(json!({"value": "x".repeat(25_600)})).await, 200);
    assert_eq!(set(json!({"value": "\u{1}".repeat(25_600)})).await, 200);
    assert_eq!(set(json!({"value": "x".repeat(25_601)})).await, 400);
    assert_eq!(set(json!({"value": "x", "contentType": "x".repeat(256)})).await, 400);
    assert_eq!(set(json!({"value": "x".repeat(600 * 1024)})).await, 413);
    assert_eq!(set(json!({})).await, 400);
    assert_eq!(local.counters().operation("set", 200), 2);
}

#[tokio::test]
async fn errors_are_those_of_key_vault() {
    let local = Local::builder().seed("a", "1").start().unwrap();
    let job = Job::managed(&local).await;
    let version = "0".repeat(32);
    let long = "x".repeat(128);
    for (method, path, status, code, part) in [
        (Method::GET, "/secrets/b", 404, "SecretNotFound", "A secret with (name/id) b was not"),
        (
            Method::GET,
            &*format!("/secrets/a/{version}"),
            404,
            "SecretNotFound",
            &*format!("a/{version} was"),
        ),
        (
            Method::GET,
            "/secrets/a_b",
            400,
            "BadParameter",
            "The request URI contains an invalid name: a_b",
        ),
        (Method::GET, &format!("/secrets/{long}"), 400, "BadParameter", "invalid name"),
        (Method::GET, "/secrets/a%2Fb", 400, "BadParameter", "invalid name"),
        (Method::PUT, "/secrets/", 405, "MethodNotAllowed", "HTTP PUT not allowed"),
        (Method::POST, "/secrets/a", 405, "MethodNotAllowed", "HTTP POST not allowed"),
        (Method::GET, "/secrets?maxresults=0", 400, "BadParameter", "maxresults"),
        (Method::GET, "/secrets?maxresults=26", 400, "BadParameter", "maxresults"),
        (Method::GET, "/secrets?$skiptoken=x", 400, "BadParameter", "$skiptoken"),
        (Method::GET, &format!("/secrets/a/{version}?outContentType=x"), 404, "SecretNotFound", ""),
        (
            Method::GET,
            "/secrets/a?outContentType=application/x-pem-file",
            400,
            "BadParameter",
            "Unsupported",
        ),
        (Method::GET, "/keys/a", 404, "NotFound", ""),
        (Method::PATCH, "/secrets/a/", 501, "NotImplemented", "`update`"),
        (Method::DELETE, "/secrets/a", 501, "NotImplemented", "`delete`"),
        (Method::POST, "/secrets/restore", 501, "NotImplemented", "`restore`"),
        (Method::GET, "/deletedsecrets", 501, "NotImplemented", "`list-deleted`"),
    ] {
        let reply = job.send(method, path, "", &[]).await;
        assert_error(&reply, status, code, None, part);
    }
    for (version, part) in [(None, "api-version must be specified"), (Some("7.7"), "(7.7)")] {
        let reply = job.at_version(Method::GET, "/secrets/a", "", &[], version).await;
        assert_error(&reply, 400, "BadParameter", None, part);
    }
}

#[tokio::test]
async fn authentication_comes_first() {
    let local = Local::builder().seed("a", "1").start().unwrap();
    let vault = local.vault("job").unwrap().clone();
    let other = managed_token(&local, "https://management.azure.com").await;
    let elsewhere = Local::builder().start().unwrap();
    let foreign = managed_token(&elsewhere, vault.http()).await;
    for (authorization, part) in [
        (None, "AKV10000: Request is missing a Bearer or PoP token."),
        (Some("Basic eDp5".to_owned()), "AKV10000"),
        (Some(format!("Bearer {other}")), "AKV10022: Invalid audience. Expected http://127"),
        (Some(format!("Bearer {foreign}")), "AKV10046"),
        (Some("Bearer x.y.z".to_owned()), "cannot be read"),
    ] {
        for _ in 0..2 {
            let headers: Vec<_> =
                authorization.iter().map(|text| ("authorization", text.as_str())).collect();
            // A request that is wrong in every other way: no api-version, a method that is not
            // allowed, an empty name.
            let with = Options { method: Method::PUT, headers: &headers, ..Options::default() };
            let reply = send(&local, &format!("{}/secrets/", vault.http()), with).await;
            assert_error(&reply, 401, "Unauthorized", None, part);
            assert_eq!(
                reply.header("www-authenticate"),
                format!(
                    "Bearer authorization=\"https://login.microsoftonline.com/{}\", resource=\"{}\"",
                    "7e57de57-0000-4000-8000-00000000da7a",
                    vault.http()
                )
            );
        }
    }
    assert_eq!(local.counters().challenges, 10);
}

#[tokio::test]
async fn roles_can_be_changed_at_run_time() {
    let local = Local::builder()
        .seed("a", "1")
        .seed("b", "2")
        .run_as(Who::User)
        .grant("user:none:a".parse().unwrap())
        .start()
        .unwrap();
    let compute = Job::managed(&local).await;
    let user = Job::user(&local).await;
    assert_eq!(compute.get("/secrets/a").await.status, 200);
    assert_eq!(user.get("/secrets/b").await.status, 200);

    let refused = user.get("/secrets/a").await;
    let part = "Caller is not authorized to perform action on resource.\r\n";
    assert_error(&refused, 403, "Forbidden", Some("ForbiddenByRbac"), part);
    let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\n")
    );
    assert!(message.contains("microsoft.keyvault/vaults/job/secrets/a'\r\n"), "{message}");

    local.grant(Grant { who: Who::User, role: Role::SecretsUser, name: Some("A".into()) });
    assert_eq!(user.get("/secrets/a").await.status, 200);
    let set = user.send(Method::PUT, "/secrets/a", r#"{"value":"x"}"#, &[]).await;
    assert_error(&set, 403, "Forbidden", Some("ForbiddenByRbac"), "setSecret/action");

    local.grant(Grant { who: Who::Managed, role: Role::Reader, name: None });
    assert_eq!(compute.get("/secrets").await.status, 200);
    // Permission is checked first: a caller without it does not learn whether a secret exists.
    for name in ["a", "missing"] {
        assert_eq!(compute.get(&format!("/secrets/{name}")).await.status, 403);
    }
}

#[tokio::test]
async fn pages_are_linked() {
    let names = ["b-2", "A-1", "c-3", "B-1", "d-4"];
    let builder = names.iter().fold(Local::builder(), |b, name| b.seed(*name, "x"));
    let local = builder.seed("d-4", Seed::from("y").with_enabled(false)).start().unwrap();
    let job = Job::managed(&local).await;

    let mut listed = Vec::new();
    let mut next = Some("/secrets?maxresults=2".to_owned());
    let mut pages = 0;
    while let Some(path) = next {
        let page = job.get(&path).await.json();
        for item in page["value"].as_array().unwrap() {
            assert_eq!(item.get("value"), None);
            let id = item["id"].as_str().unwrap();
            listed
                .push(id.strip_prefix("https://job.vault.azure.net/secrets/").unwrap().to_owned());
        }
        next = page["nextLink"].as_str().map(|link| {
            let path = link.strip_prefix("https://job.vault.azure.net:443").unwrap();
            assert!(path.starts_with("/secrets?api-version=2025-07-01&$skiptoken=ey"), "{path}");
            assert!(path.ends_with("&maxresults=2"), "{path}");
            path.to_owned()
        });
        pages += 1;
    }
    assert_eq!(listed, ["A-1", "B-1", "b-2", "c-3", "d-4"]);
    assert_eq!(pages, 3);

    let all = job.get("/secrets").await;
    assert!(all.text.ends_with("\"nextLink\":null}"), "{}", all.text);
    assert_eq!(all.json()["value"][4]["attributes"]["enabled"], false);

    let versions = job.get("/secrets/D-4/versions").await.json();
    let ids: Vec<_> =
        versions["value"].as_array().unwrap().iter().map(|v| v["id"].as_str().unwrap()).collect();
    assert!(ids.len() == 2 && ids.is_sorted(), "{ids:?}");
    let one = job.get("/secrets/d-4/versions?maxresults=1").await.json();
    assert_eq!(one["value"][0]["id"], ids[0]);
    let link = one["nextLink"].as_str().unwrap();
    let two = job.get(link.strip_prefix("https://job.vault.azure.net:443").unwrap()).await.json();
    assert_eq!((&two["value"][0]["id"], &two["nextLink"]), (&json!(ids[1]), &Value::Null));

    let none = job.get("/secrets/missing/versions").await;
    assert_eq!(
        (none.status.as_u16(), none.text.as_str()),
        (200, r#"{"value":[],"nextLink":null}"#)
    );
}

#[tokio::test]
async fn vaults_do_not_share_secrets() {
    let local = Local::builder().vault("one").vault("two").seed("a", "1").start().unwrap();
    let token = managed_token(&local, "https://vault.azure.net").await;
    let one = Job { local: &local, origin: "https://one.vault.azure.net", token: token.clone() };
    let two = Job { local: &local, origin: "https://two.vault.azure.net", token };
    one.send(Method::PUT, "/secrets/a", r#"{"value":"changed"}"#, &[]).await;
    assert_eq!(one.get("/secrets/a").await.json()["value"], "changed");
    assert_eq!(two.get("/secrets/a").await.json()["value"], "1");
}

/// A client of a vault, with a token.
struct Job<'a> {
    local: &'a Local,
    origin: &'a str,
    token: String,
}

impl<'a> Job<'a> {
    async fn managed(local: &'a Local) -> Self {
        Self::new(local, managed_token(local, "https://vault.azure.net").await)
    }

    async fn user(local: &'a Local) -> Self {
        Self::new(local, user_token(local, "https://vault.azure.net").await)
    }

    fn new(local: &'a Local, token: String) -> Self {
        Self { local, origin: local.vault("job").unwrap().url(), token }
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, "", &[]).await
    }

    async fn send(&self, method: Method, path: &str, body: &str, more: &[(&str, &str)]) -> Reply {
        self.at_version(method, path, body, more, Some("2025-07-01")).await
    }

    async fn at_version(
        &self,
        method: Method,
        path: &str,
        body: &str,
        more: &[(&str, &str)],
        version: Option<&str>,
    ) -> Reply {
        let query = match version.filter(|_| !path.contains("api-version")) {
            Some(version) if path.contains('?') => format!("&api-version={version}"),
            Some(version) => format!("?api-version={version}"),
            None => String::new(),
        };
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(more);
        let with = Options { method, headers: &headers, body, ..Options::default() };
        send(self.local, &format!("{}{path}{query}", self.origin), with).await
    }
}

fn assert_error(reply: &Reply, status: u16, code: &str, inner: Option<&str>, part: &str) {
    let text = &reply.text;
    assert_eq!(reply.status.as_u16(), status, "{text}");
    let error = &reply.json()["error"];
    assert_eq!(error["code"], code, "{text}");
    assert_eq!(error.get("innererror"), inner.map(|code| json!({"code": code})).as_ref(), "{text}");
    assert!(error["message"].as_str().unwrap().contains(part), "{text} has not {part}");
}
