//! The local Azure as a whole: proxy, control port, environment, and cleanup.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::net::{TcpListener, TcpStream};

use http::Method;
use support::{Options, connect, managed_token, send, user_token, variable};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use vaultlet_dev::{Local, Who};

const VALUE: &str = "the-value-of-the-secret";

#[tokio::test]
async fn the_proxy_refuses_unknown_vaults() {
    let local = Local::builder().vault("mine").start().unwrap();
    for authority in [
        "other.vault.azure.net:443",
        "OTHER.vault.azure.cn:443",
        "a.mine.vault.azure.net:443",
        "other.vault.azure.net.:443",
        "vault.azure.net:443",
        "mine.vault.azure.net:8443",
    ] {
        let (mut stream, status) = connect(&local, authority).await;
        assert_eq!(status, 502, "{authority}");
        let mut body = [0; 35];
        stream.read_exact(&mut body).await.unwrap();
        assert_eq!(&body, b"the local Azure has no vault of thi");
    }
    assert_eq!(connect(&local, "MINE.vault.azure.net.:443").await.1, 200);
    assert_eq!(local.counters().tunnels, 0);
}

#[tokio::test]
async fn the_proxy_tunnels_everything_else() {
    let local = Local::builder().vault("mine").start().unwrap();
    let own = local.vault("mine").unwrap().http().rsplit_once(':').unwrap().1.to_owned();
    for host in ["127.0.0.1", "anything.localhost"] {
        let (mut stream, status) = connect(&local, &format!("{host}:{own}")).await;
        assert_eq!(status, 200);
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut reply = [0; 4];
        stream.read_exact(&mut reply).await.unwrap();
        assert_eq!(&reply, b"HTTP");
    }
    assert_eq!(local.counters().tunnels, 2);
    let plain = send(&local, &format!("{}/x", local.proxy()), Options::default()).await;
    assert_eq!(plain.status, 501);
}

/// The metadata service may be closed to whoever connects to the proxy, and so may other programs here.
#[tokio::test]
async fn the_proxy_does_not_reach_out_for_this_machine_s_own() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let local = Local::builder().start().unwrap();
    for address in [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("anything.localhost:{port}"),
        format!("127.0.0.2:{port}"),
        format!("[::1]:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("0.0.0.0:{port}"),
        format!("127.1:{port}"),
        "169.254.169.254:80".into(),
        "[::ffff:169.254.169.254]:80".into(),
        "[fe80::1]:80".into(),
        "168.63.129.16:80".into(),
    ] {
        for _ in 0..2 {
            let status = connect(&local, &address).await.1;
            assert_eq!(status, 403, "{address}");
        }
    }
    assert!(listener.accept().is_err(), "it was connected to");
}

#[tokio::test]
async fn a_connection_serves_the_hosts_of_its_certificate_only() {
    let local = Local::builder().vault("one").vault("two").start().unwrap();
    let port = local.vault("one").unwrap().localhost().rsplit_once(':').unwrap().1.to_owned();
    for url in
        ["https://one.vault.azure.net/secrets", &format!("https://one.localhost:{port}/secrets")]
    {
        let own = send(&local, url, Options { h2: false, ..Options::default() }).await;
        assert_eq!(own.status, 401);
        let headers = &[("host", "three.localhost")];
        let other = send(&local, url, Options { headers, ..Options::default() }).await;
        assert_eq!(other.status, 421);
    }
}

#[tokio::test]
async fn counters_and_log_record_requests() {
    let local = Local::builder().seed("db", VALUE).run_as(Who::User).start().unwrap();
    let url = "https://job.vault.azure.net/secrets/db?api-version=2025-07-01";
    send(&local, url, Options::default()).await;
    for token in [
        managed_token(&local, "https://vault.azure.net").await,
        user_token(&local, "https://vault.azure.net").await,
    ] {
        let bearer = format!("Bearer {token}");
        let headers = &[("authorization", bearer.as_str())];
        assert_eq!(send(&local, url, Options { headers, ..Options::default() }).await.status, 200);
    }
    let counters = local.counters();
    assert_eq!((counters.identity_requests(), counters.vault_requests()), (2, 3));
    assert_eq!((counters.operation("get", 401), counters.operation("get", 200)), (1, 2));
    assert_eq!((counters.challenges, counters.tokens_issued), (1, 2));
    assert_eq!((counters.connections["proxy"], counters.handshakes["proxy"]), (3, 3));
    assert_eq!(counters.connections["identity"], 2);

    let log = local.log();
    let logged: Vec<_> =
        log.iter().map(|e| (e.door, e.operation, e.path.as_str(), e.status, e.who)).collect();
    assert_eq!(
        logged,
        [
            ("proxy", "get", "/secrets/db", 401, None),
            ("identity", "azure-ml", "/MSI/auth", 200, Some(Who::Managed)),
            ("identity", "azure-ml-obo", "/OBO/token", 200, Some(Who::User)),
            ("proxy", "get", "/secrets/db", 200, Some(Who::Managed)),
            ("proxy", "get", "/secrets/db", 200, Some(Who::User)),
        ]
    );
    assert!(log.iter().all(|entry| entry.ms >= 0.0 && entry.at > 1_700_000_000_000));

    local.reset_counters();
    assert_eq!((local.counters().vault_requests(), local.log().len()), (0, 0));
}

#[tokio::test]
async fn the_control_port_shows_counters_and_grants_roles() {
    let local = Local::builder().seed("db", VALUE).run_as(Who::User).start().unwrap();
    let control = |path: &str| format!("{}{path}", local.control());
    let post = |body| Options { method: Method::POST, body, ..Options::default() };
    let token = managed_token(&local, "https://vault.azure.net").await;
    let bearer = format!("Bearer {token}");
    let headers = &[("authorization", bearer.as_str())];
    let url = "https://job.vault.azure.net/secrets/db?api-version=2025-07-01";
    let status = async || send(&local, url, Options { headers, ..Options::default() }).await.status;

    let grant = r#"{"who":"managed","role":"none","name":"db"}"#;
    assert_eq!(send(&local, &control("/grant"), post(grant)).await.status, 204);
    assert_eq!(status().await, 403);
    let grant = r#"{"who":"managed","role":"secrets-user","name":"db"}"#;
    assert_eq!(send(&local, &control("/grant"), post(grant)).await.status, 204);
    assert_eq!(status().await, 200);

    let counters = send(&local, &control("/counters"), Options::default()).await;
    assert_eq!(counters.json(), serde_json::to_value(local.counters()).unwrap());
    assert_eq!(counters.json()["vault"]["get"], serde_json::json!({"200": 1, "403": 1}));
    let log = send(&local, &control("/log"), Options::default()).await;
    assert_eq!(log.json().as_array().unwrap().len(), 3);
    for text in [&counters.text, &log.text] {
        for secret in [VALUE, &token, variable(&local, "MSI_SECRET")] {
            assert!(!text.contains(secret));
        }
    }

    let large = " ".repeat(5000);
    for (path, with, status) in [
        ("/grant", post(r#"{"who":"managed"}"#), 400),
        ("/grant", post(r#"{"who":"managed","role":"owner"}"#), 400),
        ("/grant", post(r#"{"who":"managed","role":"none","nmae":"db"}"#), 400),
        ("/grant", post(&large), 413),
        ("/grant", Options::default(), 405),
        ("/else", Options::default(), 404),
        ("/counters", Options { headers: &[("origin", "http://page")], ..Options::default() }, 403),
        (
            "/log",
            Options { headers: &[("sec-fetch-site", "cross-site")], ..Options::default() },
            403,
        ),
        (
            "/log",
            Options { headers: &[("sec-fetch-site", "same-site")], ..Options::default() },
            403,
        ),
        ("/log", Options { headers: &[("sec-fetch-site", "none")], ..Options::default() }, 200),
        (
            "/counters",
            Options { headers: &[("host", "attacker.example")], ..Options::default() },
            421,
        ),
    ] {
        assert_eq!(send(&local, &control(path), with).await.status, status, "{path}");
    }
    assert_eq!(send(&local, &control("/reset"), post("")).await.status, 204);
    assert_eq!(local.counters().vault_requests(), 0);
}

#[test]
fn the_environment_contains_the_chosen_identity_only() {
    const FEDERATED: &[&str] = &[
        "AZURE_AUTHORITY_HOST",
        "AZURE_CLIENT_ID",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_TENANT_ID",
    ];
    for (form, who, expected) in [
        (
            "azure-ml",
            Who::Managed,
            &["DEFAULT_IDENTITY_CLIENT_ID", "MSI_ENDPOINT", "MSI_SECRET"][..],
        ),
        ("app-service", Who::Managed, &["IDENTITY_ENDPOINT", "IDENTITY_HEADER"]),
        ("imds", Who::Managed, &["AZURE_POD_IDENTITY_AUTHORITY_HOST"]),
        ("imds", Who::User, &["AZURE_POD_IDENTITY_AUTHORITY_HOST", "OBO_ENDPOINT"]),
        (
            "azure-arc",
            Who::Managed,
            &["IDENTITY_ENDPOINT", "IMDS_ENDPOINT", "VAULTLET_ARC_KEY_FOLDER"],
        ),
        (
            "service-fabric",
            Who::Managed,
            &["IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT"],
        ),
        ("cloud-shell", Who::Managed, &["MSI_ENDPOINT"]),
        (
            "spark",
            Who::Managed,
            &[
                "AZUREML_ARM_PROJECT_NAME",
                "AZUREML_ARM_RESOURCEGROUP",
                "AZUREML_ARM_SUBSCRIPTION",
                "AZUREML_ARM_WORKSPACE_NAME",
                "AZUREML_DATAPREP_TOKEN_PROVIDER",
                "AZUREML_OBO_CANARY_TOKEN",
                "AZUREML_OBO_SERVICE_ENDPOINT",
                "AZUREML_RUN_ID",
                "AZUREML_RUN_TOKEN_EXPIRY",
                "AZUREML_SYNAPSE_CLUSTER_IDENTIFIER",
                "AZUREML_SYNAPSE_TOKEN_SERVICE_ENDPOINT",
                "OID",
                "TID",
            ],
        ),
        ("token-exchange", Who::Managed, &[FEDERATED, &["VAULTLET_IDENTITY"]].concat()),
        ("workload-identity", Who::Managed, FEDERATED),
        (
            "client-secret",
            Who::Managed,
            &["AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"],
        ),
        (
            "client-certificate",
            Who::Managed,
            &["AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"],
        ),
        (
            "user-password",
            Who::Managed,
            &["AZURE_CLIENT_ID", "AZURE_PASSWORD", "AZURE_TENANT_ID", "AZURE_USERNAME"],
        ),
        (
            "on-behalf-of",
            Who::Managed,
            &[
                "AZURE_CLIENT_ID",
                "AZURE_CLIENT_SECRET",
                "AZURE_TENANT_ID",
                "VAULTLET_IDENTITY",
                "VAULTLET_USER_ASSERTION_FILE",
            ],
        ),
        ("device-code", Who::Managed, &["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "VAULTLET_IDENTITY"]),
        (
            "azure-pipelines",
            Who::Managed,
            &[
                "AZURESUBSCRIPTION_CLIENT_ID",
                "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
                "AZURESUBSCRIPTION_TENANT_ID",
                "SYSTEM_ACCESSTOKEN",
                "SYSTEM_OIDCREQUESTURI",
                "VAULTLET_IDENTITY",
            ],
        ),
    ] {
        let builder = Local::builder().identity_form(form.parse().unwrap());
        let local = builder.run_as(who).start().unwrap();
        let foreign = Local::foreign_variables();
        let set = local.environment().iter().map(|(name, _)| name.as_str());
        // A nested local Azure removes every variable of the outer one's identity.
        let mut names: Vec<_> = set.clone().filter(|name| foreign.contains(name)).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{form}");
        assert_eq!(set.count(), expected.len() + NETWORK.len());
        let description = local.description();
        assert_eq!(description["env"]["HTTPS_PROXY"], local.proxy());
        assert_eq!(description["vaults"]["job"]["url"], "https://job.vault.azure.net");
        assert_eq!(description["caFile"], variable(&local, "VAULTLET_CA_FILE"));
        assert_eq!(description["authority"], local.authority());
        assert_eq!(description["authorityHttp"], local.authority_http());
    }
    assert!(NETWORK.iter().all(|name| !Local::foreign_variables().contains(name)));
}

/// The variables of every environment that belong to no identity.
const NETWORK: [&str; 10] = [
    "CURL_CA_BUNDLE",
    "HTTPS_PROXY",
    "JAVA_TOOL_OPTIONS",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "VAULTLET_CA_FILE",
    "https_proxy",
    "no_proxy",
];

#[tokio::test]
async fn a_drop_stops_all_listeners_and_removes_the_folder() {
    let local = Local::builder().start().unwrap();
    let folder = local.ca_file().parent().unwrap().to_path_buf();
    let ports: Vec<u16> = [
        local.proxy(),
        local.control(),
        local.authority(),
        local.authority_http(),
        local.vault("job").unwrap().http(),
    ]
    .iter()
    .map(|origin| origin.rsplit_once(':').unwrap().1.parse().unwrap())
    .collect();
    assert!(folder.join("bundle.pem").exists());
    assert!(ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()));
    drop(local);
    assert!(!folder.exists());
    assert!(ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_err()));
}

#[test]
fn names_and_seeds_that_key_vault_refuses_are_start_errors() {
    for (builder, id) in [
        (Local::builder().vault("a_b"), "dev-vault-name"),
        (Local::builder().seed("a_b", VALUE), "dev-secret-name"),
        (Local::builder().seed("a", VALUE.repeat(2000)), "dev-seed"),
    ] {
        let error = builder.start().unwrap_err();
        assert_eq!(error.id(), id);
        let text = error.to_string();
        assert!(!text.contains(VALUE) && !text.contains('\n') && text.contains("; "), "{text}");
    }
}

#[tokio::test]
async fn debug_text_contains_no_secret() {
    let builder = Local::builder().seed("db", VALUE);
    assert!(!format!("{builder:?}").contains(VALUE));
    let local = builder.start().unwrap();
    let text = format!("{local:?} {:?} {:?}", local.counters(), local.log());
    assert!(!text.contains(VALUE) && !text.contains(variable(&local, "MSI_SECRET")));
}
