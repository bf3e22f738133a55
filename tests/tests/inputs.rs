//! Settings of the program, of the host and of the library, as people set them: with white space, in another
//! case, with bytes that are not UTF-8, with a port that is none. Each is taken as it is meant, or refused by
//! name before anything is sent.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use vaultlet_core::settings::SETTINGS;
use vaultlet_host::{Kind, Lend, Vaultlet};
use vaultlet_tests::server::{Answer, Server};
use vaultlet_tests::tls::Ca;
use vaultlet_tests::{Ended, Run};

const TOKEN: &str = r#"{"access_token":"T0KEN.machine","expires_in":3600}"#;
const GUID: &str = "11111111-0000-4000-8000-0123456789ab";

/// Runs `vaultlet token` beside an identity endpoint, with these variables; says how many requests came.
fn token(flags: &[&str], variables: &[(&str, &OsStr)]) -> (Ended, usize) {
    let server = Server::plain(|_| Answer::json(200, TOKEN));
    let endpoint = format!("http://127.0.0.1:{}/token", server.port());
    let ended = Run::vaultlet(["token", "--reveal"])
        .arguments(flags)
        .environment([("MSI_ENDPOINT", endpoint.as_str()), ("MSI_SECRET", "msi-s3cret")])
        .environment(variables.iter().copied())
        .end();
    (ended, server.requests().len())
}

/// Checks that a variable is refused by its name, before anything is sent.
#[track_caller]
fn refused(name: &str, value: &[u8], secret: Option<&str>) {
    let (ended, requests) = token(&[], &[(name, OsStr::from_bytes(value))]);
    let shown = String::from_utf8_lossy(value);
    assert_eq!((ended.code, requests), (78, 0), "{name}={shown:?}: {}", ended.stderr);
    assert!(ended.stderr.contains(&format!("`{name}`")), "{name}={shown:?}: {}", ended.stderr);
    assert!(ended.stderr.contains("(setting-malformed)"), "{name}={shown:?}: {}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    if let Some(secret) = secret {
        ended.reveals_none_of(&[secret], true);
    }
}

/// Checks that a variable is taken.
#[track_caller]
fn taken(name: &str, value: &str) {
    let (ended, requests) = token(&[], &[(name, OsStr::new(value))]);
    assert_eq!((ended.code, requests), (0, 1), "{name}={value:?}: {}", ended.stderr);
    assert!(ended.stdout.starts_with("T0KEN.machine"), "{name}={value:?}");
}

/// Each setting of the table and each variable that this chain reads, with a byte that no UTF-8 has.
#[test]
fn a_variable_that_is_not_utf_8_is_malformed_and_never_unset() {
    let paths = ["VAULTLET_USER_ASSERTION_FILE", "VAULTLET_CA_FILE"];
    let ours = SETTINGS.iter().map(|setting| setting.variable).filter(|name| !paths.contains(name));
    let own = ["VAULTLET_LOG", "VAULTLET_OUTPUT", "VAULTLET_RESOURCE", "VAULTLET_SCOPE"];
    let more = [
        "VAULTLET_TENANT",
        "VAULTLET_CLAIMS",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "NO_PROXY",
    ];
    let azures = [
        "AZURE_TOKEN_CREDENTIALS",
        "AZURE_AUTHORITY_HOST",
        "AZURE_ADDITIONALLY_ALLOWED_TENANTS",
        "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH",
        "AZURE_CLIENT_ID",
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_USERNAME",
        "AZURE_PASSWORD",
        "MSI_ENDPOINT",
        "MSI_SECRET",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "IDENTITY_SERVER_THUMBPRINT",
        "IMDS_ENDPOINT",
        "OBO_ENDPOINT",
        "DEFAULT_IDENTITY_CLIENT_ID",
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        "AZURE_KUBERNETES_TOKEN_PROXY",
        "AZURE_KUBERNETES_CA_DATA",
    ];
    for name in ours.chain(own).chain(more).chain(azures) {
        refused(name, b"azure-cli\xff", None);
        refused(name, b"\xc3\x28", None);
    }
}

#[test]
fn a_path_may_have_any_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &[u8]| folder.path().join(OsStr::from_bytes(name)).into_os_string();
    let (ca, missing) = (path(b"ca\xff.pem"), path(b"missing\xff.pem"));
    fs::copy(Ca::default().file(), &ca).unwrap();
    for name in ["SSL_CERT_FILE", "VAULTLET_CA_FILE"] {
        assert_eq!(token(&[], &[(name, &ca)]).0.code, 0);
        let spaced = OsString::from_iter([ca.as_os_str(), OsStr::new(" \n")]);
        assert_eq!(token(&[], &[(name, &spaced)]).0.code, 0);
        let (ended, requests) = token(&[], &[(name, &missing)]);
        assert_eq!((ended.code, requests), (78, 0), "{}", ended.stderr);
        assert!(ended.stderr.contains("(ca-file)"), "{}", ended.stderr);
    }
    // A token file and a key file.
    let federated = path(b"token\xff");
    fs::write(&federated, "f3derated.t0k.en").unwrap();
    let authority = Server::plain(|_| {
        Answer::json(200, r#"{"access_token":"T0KEN.app","expires_in":3600,"token_type":"Bearer"}"#)
    });
    let host = format!("http://127.0.0.1:{}", authority.port());
    let app = [
        ("AZURE_AUTHORITY_HOST", OsStr::new(&host)),
        ("VAULTLET_ALLOW_HTTP_LOOPBACK", OsStr::new("True")),
        ("AZURE_CLIENT_ID", OsStr::new(GUID)),
        ("AZURE_TENANT_ID", OsStr::new("contoso.example")),
    ];
    let with = |name, path: &OsStr| {
        let mut variables = app.to_vec();
        variables.push((name, path));
        token(&[], &variables).0
    };
    let ended = with("AZURE_FEDERATED_TOKEN_FILE", &federated);
    assert_eq!((ended.code, ended.stdout.trim_end()), (0, "T0KEN.app"), "{}", ended.stderr);
    let sent = authority.requests();
    assert!(String::from_utf8_lossy(&sent[0].body).contains("f3derated.t0k.en"));
    let key = path(b"key\xff.pem");
    fs::write(&key, "hello").unwrap();
    for (path, says) in [(&key, "neither PEM nor PKCS#12"), (&missing, "no such file")] {
        let ended = with("AZURE_CLIENT_CERTIFICATE_PATH", path);
        assert_eq!(ended.code, 78, "{}", ended.stderr);
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
}

#[test]
fn settings_are_taken_in_any_case_and_with_white_space_around_them() {
    for (name, value) in [
        ("VAULTLET_LOG", "OFF"),
        ("VAULTLET_LOG", " Error\n"),
        ("VAULTLET_OUTPUT", " VALUE"),
        ("VAULTLET_OUTPUT", " "),
        ("VAULTLET_TIMEOUT", " 30 \n"),
        ("VAULTLET_TIMEOUT", "\t"),
        ("VAULTLET_CLOUD", "Public "),
        ("VAULTLET_IDENTITY", " Managed-Identity , "),
        ("VAULTLET_EXCLUDE", "azure-cli\n"),
        ("VAULTLET_CLIENT_ID", " 11111111-0000-4000-8000-0123456789ab\r\n"),
        ("VAULTLET_ALLOW_HTTP_LOOPBACK", "TRUE\n"),
        ("VAULTLET_ALLOW_HTTP_IDENTITY", " neighbour , other:80"),
        ("VAULTLET_ADDITIONAL_TENANTS", " * "),
        ("VAULTLET_RESOLVE", " a.example:443:127.0.0.1 , b.example:443:[::1]:9 "),
        ("VAULTLET_RESOLVE", " "),
        ("VAULTLET_RESOURCE", " https://vault.azure.net\n"),
        ("VAULTLET_SCOPE", "https://vault.azure.net/.default "),
        ("HTTPS_PROXY", "http://proxy.example:3128\n"),
        ("HTTPS_PROXY", " "),
        ("ALL_PROXY", " proxy.example:3128 "),
        ("NO_PROXY", "*\n"),
        ("SSL_CERT_FILE", " "),
        ("VAULTLET_CA_FILE", "\n"),
        ("MSI_SECRET", "msi-s3cret\n"),
        ("AZURE_CLIENT_ID", "11111111-0000-4000-8000-0123456789ab "),
        ("DEFAULT_IDENTITY_CLIENT_ID", "11111111-0000-4000-8000-0123456789ab\n"),
        ("AZURE_AUTHORITY_HOST", " https://login.microsoftonline.com/ "),
        ("AZURE_TOKEN_CREDENTIALS", " ManagedIdentityCredential\n"),
    ] {
        taken(name, value);
    }
    for flags in [["--log", "INFO"], ["--output", "Json"], ["-o", " value "], ["--cloud", "PUBLIC"]]
    {
        let (ended, _) = token(&flags, &[]);
        assert_eq!(ended.code, 0, "{flags:?}: {}", ended.stderr);
    }
}

#[test]
fn malformed_settings_are_refused_by_name_before_anything_is_sent() {
    for (name, value) in [
        ("HTTPS_PROXY", "http://user:pr0xyPass@127.0.0.1:99999"),
        ("HTTPS_PROXY", "http://user:pr0xyPass@127.0.0.1:65536"),
        ("HTTPS_PROXY", "http://user:pr0xyPass@127.0.0.1:"),
        ("HTTPS_PROXY", "http://user:pr0xyPass@127.0.0.1:0x1"),
        ("HTTPS_PROXY", "http://u@ser:pr0xyPass@127.0.0.1:1"),
        ("HTTPS_PROXY", "http://user:pr0xyPass/x@127.0.0.1:1"),
        ("https_proxy", "https://user:pr0xyPass@127.0.0.1:1"),
        ("ALL_PROXY", "socks5://user:pr0xyPass@127.0.0.1:1080"),
        ("all_proxy", "http://user:pr0xyPass@127.0.0.1:70000"),
        ("VAULTLET_RESOLVE", "kv:99999:127.0.0.1"),
        ("VAULTLET_RESOLVE", "kv:443:127.0.0.1:65536"),
        ("VAULTLET_RESOLVE", "kv::127.0.0.1"),
        ("VAULTLET_RESOLVE", "kv:0x1:127.0.0.1"),
        ("VAULTLET_RESOLVE", "*:443:127.0.0.1"),
        ("VAULTLET_TIMEOUT", "1s"),
        ("VAULTLET_LOG", "loud"),
        ("VAULTLET_OUTPUT", "xml"),
        ("VAULTLET_ALLOW_HTTP_LOOPBACK", "yes"),
        ("VAULTLET_ALLOW_HTTP_IDENTITY", "http://neighbour"),
        ("VAULTLET_ALLOW_HTTP_IDENTITY", "neighbour:65536"),
        ("VAULTLET_CLOUD", "mars"),
        ("AZURE_AUTHORITY_HOST", "login.example:99999"),
        ("AZURE_AUTHORITY_HOST", "https://login.example:"),
        ("MSI_SECRET", "msi\ns3cret"),
        ("MSI_SECRET", "msi-s3cr\u{e9}t"),
        ("MSI_ENDPOINT", "http://127.0.0.1:99999/x"),
        ("MSI_ENDPOINT", "http://127.0.0.1:/x"),
        ("AZURE_CLIENT_ID", "not a guid"),
    ] {
        refused(name, value.as_bytes(), value.contains("pr0xyPass").then_some("pr0xyPass"));
    }
    for reference in [
        "akv://kv.vault.azure.net:99999/n",
        "akv://kv.vault.azure.net:/n",
        "https://kv.vault.azure.net:0x1/secrets/n",
    ] {
        let ended = Run::vaultlet(["get", reference]).end();
        assert_eq!(ended.code, 65, "{reference}: {}", ended.stderr);
    }
    let (ended, requests) = token(&["--resolve", "kv:+443:127.0.0.1"], &[]);
    assert_eq!((ended.code, requests), (64, 0), "{}", ended.stderr);
}

#[test]
fn the_authority_says_which_cloud_a_vault_s_name_belongs_to() {
    for (authority, cloud, expected) in [
        ("", None, "job.vault.azure.net"),
        ("https://login.microsoftonline.com/", None, "job.vault.azure.net"),
        ("login.microsoftonline.us", None, "job.vault.usgovcloudapi.net"),
        (" https://login.chinacloudapi.cn/ ", None, "job.vault.azure.cn"),
        ("https://login.microsoftonline.us", Some("china"), "job.vault.azure.cn"),
    ] {
        let builder = Vaultlet::builder().variables([("AZURE_AUTHORITY_HOST", authority)]);
        let builder = cloud.into_iter().fold(builder, |builder, cloud| builder.cloud(cloud));
        let plan = builder.open().unwrap().plan_blocking(Some("akv://job/n")).unwrap();
        assert_eq!(plan.vault.unwrap().host, expected, "{authority}");
    }
    let builder =
        Vaultlet::builder().variables([("AZURE_AUTHORITY_HOST", "https://login.example")]);
    let error = builder.open().unwrap().plan_blocking(Some("akv://job/n")).unwrap_err();
    assert!(error.message.contains("`AZURE_AUTHORITY_HOST`"), "{error}");
}

#[test]
fn a_resource_that_no_request_can_be_for_is_not_lent() {
    let vaultlet = Vaultlet::builder().variables([("MSI_ENDPOINT", "http://127.0.0.1:9/x")]).open();
    let vaultlet = vaultlet.unwrap();
    let kv = "https://vault.azure.net";
    for resources in [
        &[""][..],
        &[kv, ""],
        &["", kv],
        &["*"],
        &["not a uri"],
        &["a b"],
        &[kv, "x?y"],
        &["a,,b"],
        &["/"],
        &[" "],
    ] {
        let resources: Vec<String> = resources.iter().map(ToString::to_string).collect();
        let lend = Lend { resources: resources.clone(), ..Lend::default() };
        let error = vaultlet.lend(lend).map(drop).unwrap_err();
        assert_eq!(
            (error.kind, error.id.as_str()),
            (Kind::InvalidArgument, "argument-malformed"),
            "{resources:?}"
        );
        let list = resources.join(",");
        let flag = format!("--resource={list}");
        let serve = |flags: &[&str], variable: &str| {
            let variables =
                [("MSI_ENDPOINT", "http://127.0.0.1:9/x"), ("VAULTLET_RESOURCE", variable)];
            Run::vaultlet(["identity", "serve"])
                .arguments(flags)
                .arguments(["--", "echo", "started"])
                .environment(variables)
                .end()
        };
        let mut ways = vec![(serve(&[&flag], ""), 64, "`--resource`")];
        if !list.trim().is_empty() {
            ways.push((serve(&[], &list), 78, "`VAULTLET_RESOURCE`"));
        }
        for (ended, code, says) in ways {
            assert_eq!(
                (ended.code, ended.stdout.as_str()),
                (code, ""),
                "{list:?}: {}",
                ended.stderr
            );
            assert!(ended.stderr.contains(says), "{list:?}: {}", ended.stderr);
        }
    }
    for resource in [kv, "https://storage.azure.com/.default", "api://x", GUID] {
        let lend = Lend { resources: vec![resource.into()], ..Lend::default() };
        assert!(vaultlet.lend(lend).is_ok(), "{resource}");
    }
}

#[test]
fn an_identity_endpoint_in_a_neighbour_container_needs_a_word() {
    let server = Server::plain(|_| Answer::json(200, TOKEN));
    let port = server.port();
    let endpoint = format!("http://azclicredsproxy:{port}/token");
    let rule = format!("azclicredsproxy:{port}:127.0.0.1:{port}");
    let run = |flags: &[&str], variable: &str| {
        Run::vaultlet(["token", "--reveal", "--resolve", &rule])
            .arguments(flags)
            .environment([("IDENTITY_ENDPOINT", endpoint.as_str()), ("IDENTITY_HEADER", "header")])
            .environment([("VAULTLET_ALLOW_HTTP_IDENTITY", variable)])
            .end()
    };
    for (flags, variable) in
        [(&["--allow-http-identity=azclicredsproxy"][..], ""), (&[], "x,azclicredsproxy")]
    {
        let ended = run(flags, variable);
        assert_eq!((ended.code, ended.stdout.trim_end()), (0, "T0KEN.machine"), "{}", ended.stderr);
    }
    let before = server.requests().len();
    let ended = run(&[], "another");
    assert_eq!((ended.code, server.requests().len()), (78, before), "{}", ended.stderr);
    let says = "`--allow-http-identity azclicredsproxy` (`VAULTLET_ALLOW_HTTP_IDENTITY`)";
    assert!(ended.stderr.contains(says), "{}", ended.stderr);
}

#[test]
fn the_variables_of_dev_are_in_its_help_and_a_slip_is_told() {
    let help = Run::vaultlet(["dev", "--help"]).end();
    for end in ["VAULT", "SEED", "SEED_FILE", "AS", "IDENTITY_FORM", "GRANT", "OUTPUT"] {
        assert!(help.stdout.contains(&format!("VAULTLET_DEV_{end}")), "{}", help.stdout);
    }
    for (name, flag) in [
        ("VAULTLET_SEED", "--seed"),
        ("VAULTLET_VAULT", "--vault"),
        ("VAULTLET_SEED_FILE", "--seed-file"),
        ("VAULTLET_GRANT", "--grant"),
        ("VAULTLET_AS", "--as"),
        ("VAULTLET_IDENTITY_FORM", "--identity-form"),
    ] {
        let run = |variables: &[(&str, &str)]| {
            Run::vaultlet(["dev", "--", "true"]).environment(variables.iter().copied()).end()
        };
        let ended = run(&[(name, "hunter2=x")]);
        let meant = name.replace("VAULTLET_", "VAULTLET_DEV_");
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        for part in [format!("`{name}`"), format!("`{meant}`"), format!("`{flag}`")] {
            assert!(ended.stderr.contains(&part), "{name}: {}", ended.stderr);
        }
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    }
}
