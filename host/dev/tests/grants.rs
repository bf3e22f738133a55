//! The OAuth flows of the token authority other than a client secret.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use ring::digest;
use rsa::{
    RsaPrivateKey,
    pkcs1::EncodeRsaPrivateKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey},
};
use serde_json::{Value, json};
use support::{
    Options, REAL, Reply, claims_of, client_form, error_code, form, post_form, send, token_url,
    token_with, user_token, variable,
};
use vaultlet_dev::{Form, Local, Who};

const SCOPE: &str = "https://vault.azure.net/.default";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[tokio::test]
async fn a_certificate_is_accepted_in_the_format_of_every_sdk() {
    let client = Client::start();
    let (one, two) = (STANDARD.encode(&client.sha1), STANDARD.encode(&client.sha256));
    for (algorithm, name, thumbprint, padded) in [
        (Algorithm::RS256, "x5t", URL_SAFE.encode(&client.sha1), false),
        (Algorithm::RS256, "x5t", one, false),
        (Algorithm::PS256, "x5t#S256", URL_SAFE.encode(&client.sha256), true),
        (Algorithm::PS256, "x5t#S256", URL_SAFE_NO_PAD.encode(&client.sha256), false),
        (Algorithm::PS256, "x5t#S256", two, false),
    ] {
        let mut header = json!({"typ": "JWT", "x5c": [STANDARD.encode(&client.der)]});
        header[name] = thumbprint.into();
        let assertion = client.sign(algorithm, header, client.claims(), padded);
        let reply = client.ask(&assertion).await;
        assert_eq!(reply.status, 200, "{name} {padded}: {}", reply.text);
        assert_eq!(claims_of(reply.json()["access_token"].as_str().unwrap())["appidacr"], "2");
    }
    assert_eq!(client.local.counters().assertions_reused, 0);
    assert_eq!(client.local.counters().authority["client-certificate"][&200], 5);
}

#[tokio::test]
async fn the_audience_of_an_assertion_has_several_spellings() {
    let client = Client::start();
    let tenant = client.local.application().tenant().to_owned();
    let loopback = client.local.authority().to_owned();
    for (audience, code) in [
        (format!("{REAL}/{tenant}/oauth2/v2.0/token"), None),
        (format!("{REAL}/{tenant}/oauth2/token"), None),
        (format!("{REAL}/{tenant}/v2.0"), None),
        (format!("{REAL}/{tenant}"), None),
        (format!("https://sts.windows.net/{tenant}/"), None),
        (format!("{loopback}/{tenant}/oauth2/v2.0/token"), None),
        (format!("{REAL}/other/oauth2/v2.0/token"), Some(700_023)),
        (format!("{REAL}/{tenant}/oauth2/v2.0/token/more"), Some(700_023)),
        (format!("https://login.example/{tenant}/oauth2/v2.0/token"), Some(700_023)),
        (format!("{REAL}.example/{tenant}/oauth2/v2.0/token"), Some(700_023)),
        (String::new(), Some(700_023)),
    ] {
        let mut claims = client.claims();
        claims["aud"] = audience.clone().into();
        let assertion = client.sign(Algorithm::PS256, client.header(), claims, false);
        for _ in 0..2 {
            let reply = client.ask(&assertion).await;
            match code {
                None => assert_eq!(reply.status, 200, "{audience}: {}", reply.text),
                Some(code) => assert_eq!(error_code(&reply.json()), code, "{audience}"),
            }
        }
    }
    // The authority accepts an assertion again, as Entra does; the counter shows a client that
    // signs a new one for each request that it really does.
    assert_eq!(client.local.counters().assertions_reused, 6);
}

#[tokio::test]
async fn invalid_assertions_are_rejected_each_time() {
    let client = Client::start();
    let now = now() as f64;
    let with = |name: &str, value: Value| {
        let mut claims = client.claims();
        claims[name] = value;
        client.sign(Algorithm::PS256, client.header(), claims, false)
    };
    let headed = |algorithm, header| client.sign(algorithm, header, client.claims(), false);
    let good = with("jti", "x".into());
    let (head, rest) = good.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let mut stolen = client.claims();
    stolen["exp"] = json!(now + 99_999.0);
    let stolen = URL_SAFE_NO_PAD.encode(stolen.to_string());
    let other = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let other = Client { key: signing(&other), ..Client::start() };
    let foreign = Client { key: other.key, ..Client::start() };
    for (assertion, code) in [
        (with("exp", json!(now - 301.5)), 700_024),
        (with("exp", json!("soon")), 700_024),
        (with("nbf", json!(now + 400.0)), 700_024),
        (with("sub", "somebody".into()), 700_021),
        (headed(Algorithm::PS256, json!({"x5t": "AAAA"})), 700_027),
        (headed(Algorithm::PS256, json!({})), 700_027),
        (headed(Algorithm::RS512, client.header()), 700_027),
        (format!("{head}.{stolen}.{signature}"), 700_027),
        (format!("{head}.{stolen}."), 700_027),
        (foreign.sign(Algorithm::PS256, client.header(), client.claims(), false), 700_027),
        ("nonsense".to_owned(), 50_027),
    ] {
        for _ in 0..2 {
            let reply = client.ask(&assertion).await;
            let error = reply.json();
            assert_eq!(error_code(&error), code, "{}", reply.text);
            assert!(!reply.text.contains(signature));
        }
    }
    assert_eq!(client.local.counters().tokens_issued, 0);
    for (exp, nbf) in [(json!(now + 600.25), json!(null)), (json!(now as u64), json!(now as u64))] {
        let mut claims = client.claims();
        claims["exp"] = exp;
        claims["nbf"] = nbf;
        let assertion = client.sign(Algorithm::RS256, client.header(), claims, false);
        assert_eq!(client.ask(&assertion).await.status, 200);
    }
}

#[tokio::test]
async fn a_foreign_certificate_can_be_registered() {
    let key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(
        &RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048)
            .unwrap()
            .to_pkcs8_der()
            .unwrap()
            .as_bytes()
            .into(),
        &rcgen::PKCS_RSA_SHA256,
    )
    .unwrap();
    let certificate = rcgen::CertificateParams::new([]).unwrap().self_signed(&key).unwrap();
    let local = Local::builder().certificate(certificate.der().to_vec()).start().unwrap();
    let private = RsaPrivateKey::from_pkcs8_der(key.serialized_der()).unwrap();
    let client = Client::new(local, certificate.der().to_vec(), &private);
    let assertion = client.sign(Algorithm::RS256, client.header(), client.claims(), false);
    assert_eq!(client.ask(&assertion).await.status, 200);
}

#[tokio::test]
async fn a_federated_token_must_match_issuer_audience_and_subject() {
    let local = Local::builder().identity_form(Form::WorkloadIdentity).start().unwrap();
    let url = token_url(REAL, local.application().tenant());
    let file = variable(&local, "AZURE_FEDERATED_TOKEN_FILE");
    let good = std::fs::read_to_string(file).unwrap();
    let (audience, subject) =
        ("api://AzureADTokenExchange", claims_of(&good)["sub"].as_str().unwrap().to_owned());
    let other = Local::builder().start().unwrap();
    let token =
        |local: &Local, subject: &str, audience| local.federated_token(subject, audience).unwrap();
    for (assertion, code) in [
        (token(&other, &subject, audience), 700_211),
        (token(&local, &subject, "api://other"), 700_212),
        (token(&local, "system:serviceaccount:default:other", audience), 700_213),
        (token(&local, &subject.to_uppercase(), audience), 700_213),
        (good.replace('.', ".e30"), 50_027),
    ] {
        for _ in 0..2 {
            let reply = post_form(&local, &url, &asserted(&local, &assertion)).await;
            assert_eq!(error_code(&reply.json()), code, "{}", reply.text);
        }
    }
    let reply = post_form(&local, &url, &asserted(&local, &good)).await;
    assert_eq!(claims_of(reply.json()["access_token"].as_str().unwrap())["appidacr"], "2");
    assert_eq!(local.counters().authority["federated-token"][&200], 1);

    // The issuer publishes its documents at the usual paths.
    let issuer = claims_of(&good)["iss"].as_str().unwrap().to_owned();
    let url = format!("{issuer}/.well-known/openid-configuration");
    let document = send(&local, &url, Options::default()).await.json();
    assert_eq!(document["issuer"], issuer);
    let keys =
        send(&local, document["jwks_uri"].as_str().unwrap(), Options::default()).await.json();
    let kid = jsonwebtoken::decode_header(&good).unwrap().kid;
    assert_eq!(keys["keys"][0]["kid"], json!(kid));
}

#[tokio::test]
async fn on_behalf_of_requires_the_users_token_for_the_application() {
    let local = Local::builder().identity_form(Form::OnBehalfOf).run_as(Who::User).start().unwrap();
    let app = local.application();
    let file = variable(&local, "VAULTLET_USER_ASSERTION_FILE");
    let good = std::fs::read_to_string(file).unwrap();
    let application = format!("api://{}", app.client_id());
    let obo = |id: &str, secret: &str, assertion: &str| {
        form(&[
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("client_id", id),
            ("client_secret", secret),
            ("assertion", assertion),
            ("requested_token_use", "on_behalf_of"),
            ("scope", "https://vault.azure.net/.default offline_access openid profile"),
        ])
    };
    let (id, secret) = (app.client_id(), app.secret());
    let url = token_url(REAL, app.tenant());
    let of_app = client_form(&local, "").replace("https%3A%2F%2Fvault.azure.net", &application);
    let of_app = token_with(&local, &of_app).await;
    let of_vault = user_token(&local, "https://vault.azure.net").await;
    let other = Local::builder().run_as(Who::User).start().unwrap();
    let forged = user_token(&other, &application).await;
    for (body, code) in [
        (obo(id, "", &good), 7_000_218),
        (obo(id, "wrong", &good), 7_000_215),
        (obo(id, secret, &of_vault), 500_131),
        (obo(id, secret, &of_app), 50_027),
        (obo(id, secret, &forged), 50_013),
        (obo(id, secret, "nonsense"), 50_027),
        (obo(id, secret, ""), 900_144),
        (obo(id, secret, &good).replace("on_behalf_of", "other"), 900_144),
        (obo(app.restricted_client_id(), secret, &good), 500_131),
    ] {
        for _ in 0..2 {
            let reply = post_form(&local, &url, &body).await;
            assert_eq!(error_code(&reply.json()), code, "{}", reply.text);
        }
    }
    let restricted = app.restricted_client_id();
    let for_other = user_token(&local, &format!("api://{restricted}")).await;
    let reply = post_form(&local, &url, &obo(restricted, secret, &for_other)).await;
    assert_eq!(
        (error_code(&reply.json()), &reply.json()["suberror"]),
        (65001, &json!("consent_required"))
    );

    let by_id = user_token(&local, id).await;
    for assertion in [&good, &by_id] {
        let response = post_form(&local, &url, &obo(id, secret, assertion)).await.json();
        let claims = claims_of(response["access_token"].as_str().unwrap());
        assert_eq!((&claims["idtyp"], &claims["appid"]), (&json!("user"), &json!(id)));
        assert_eq!(claims["aud"], "https://vault.azure.net");
        assert_eq!(claims_of(response["id_token"].as_str().unwrap())["aud"], id);
        assert!(response["refresh_token"].is_string());
    }
}

#[tokio::test]
async fn a_password_signs_in_the_user_and_a_refresh_token_renews() {
    let local = Local::builder().identity_form(Form::UserPassword).start().unwrap();
    let app = local.application();
    let url = token_url(REAL, "organizations");
    let scope = "https://vault.azure.net/user_impersonation openid offline_access";
    let body = |id: &str, user: &str, password: &str| {
        form(&[
            ("grant_type", "password"),
            ("client_id", id),
            ("username", user),
            ("password", password),
            ("scope", scope),
            ("client_info", "1"),
        ])
    };
    let (id, user, password) = (app.client_id(), app.user_name(), app.password());
    for (body, code) in [
        (body(id, user, "wrong"), 50126),
        (body(id, "nobody@vaultlet.example", password), 50034),
        (body(id, user, ""), 900_144),
        (body(app.restricted_client_id(), user, password), 7_000_218),
    ] {
        for _ in 0..2 {
            let reply = post_form(&local, &url, &body).await;
            assert_eq!(error_code(&reply.json()), code, "{}", reply.text);
            assert!(!reply.text.contains(password));
        }
    }
    let response = post_form(&local, &url, &body(id, user, password)).await.json();
    assert_eq!(claims_of(response["access_token"].as_str().unwrap())["upn"], user);
    assert_eq!(response["scope"], scope);
    let info = URL_SAFE_NO_PAD.decode(response["client_info"].as_str().unwrap()).unwrap();
    let info: Value = serde_json::from_slice(&info).unwrap();
    assert_eq!(info["utid"], app.tenant());

    let refresh = response["refresh_token"].as_str().unwrap();
    let renew = |id: &str, token: &str| {
        let grant = ("grant_type", "refresh_token");
        form(&[grant, ("client_id", id), ("refresh_token", token), ("scope", scope)])
    };
    let renewed = post_form(&local, &url, &renew(id, refresh)).await.json();
    assert!(renewed["access_token"].is_string() && renewed["refresh_token"] != json!(refresh));
    for (body, code) in [
        (renew(id, "unknown"), 700_082),
        (renew(app.restricted_client_id(), refresh), 50_173),
        (renew(id, ""), 900_144),
    ] {
        assert_eq!(error_code(&post_form(&local, &url, &body).await.json()), code);
    }
}

fn asserted(local: &Local, assertion: &str) -> String {
    form(&[
        ("grant_type", "client_credentials"),
        ("client_id", local.application().client_id()),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", assertion),
        ("scope", SCOPE),
    ])
}

/// A client with a registered certificate.
struct Client {
    local: Local,
    key: EncodingKey,
    der: Vec<u8>,
    sha1: Vec<u8>,
    sha256: Vec<u8>,
}

impl Client {
    fn start() -> Self {
        let local = Local::builder().identity_form(Form::ClientCertificate).start().unwrap();
        let file = std::fs::read(variable(&local, "AZURE_CLIENT_CERTIFICATE_PATH")).unwrap();
        let parts = pem::parse_many(file).unwrap();
        let der = parts.iter().find(|part| part.tag() == "CERTIFICATE").unwrap();
        let key = parts.iter().find(|part| part.tag() == "PRIVATE KEY").unwrap();
        let key = RsaPrivateKey::from_pkcs8_der(key.contents()).unwrap();
        Self::new(local, der.contents().to_vec(), &key)
    }

    fn new(local: Local, der: Vec<u8>, key: &RsaPrivateKey) -> Self {
        let digest = |algorithm| digest::digest(algorithm, &der).as_ref().to_vec();
        let sha1 = digest(&digest::SHA1_FOR_LEGACY_USE_ONLY);
        let sha256 = digest(&digest::SHA256);
        Self { local, key: signing(key), der, sha1, sha256 }
    }

    fn header(&self) -> Value {
        json!({"typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(&self.sha256)})
    }

    fn claims(&self) -> Value {
        let app = self.local.application();
        json!({
            "aud": token_url(REAL, app.tenant()),
            "iss": app.client_id(),
            "sub": app.client_id(),
            "exp": now() + 600,
            "nbf": now(),
            "jti": format!("{:p}{}", &self.key, self.local.counters().tokens_issued),
        })
    }

    fn sign(&self, algorithm: Algorithm, mut header: Value, claims: Value, padded: bool) -> String {
        header["alg"] = format!("{algorithm:?}").into();
        let engine = if padded { URL_SAFE } else { URL_SAFE_NO_PAD };
        let signed =
            format!("{}.{}", engine.encode(header.to_string()), engine.encode(claims.to_string()));
        let signature = crypto::sign(signed.as_bytes(), &self.key, algorithm).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        format!("{signed}.{}", engine.encode(signature))
    }

    async fn ask(&self, assertion: &str) -> Reply {
        let url = token_url(REAL, self.local.application().tenant());
        post_form(&self.local, &url, &asserted(&self.local, assertion)).await
    }
}

fn signing(key: &RsaPrivateKey) -> EncodingKey {
    EncodingKey::from_rsa_der(key.to_pkcs1_der().unwrap().as_bytes())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
