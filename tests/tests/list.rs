//! `vaultlet list` and `vaultlet versions`, and the same operations from Rust, against the local Azure.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use vaultlet_dev::{Grant, Local, Role, Seed, Who};
use vaultlet_host::{Error, Kind, Vaultlet};
use vaultlet_tests::server::{Answer, Server};
use vaultlet_tests::{Ended, Run};

const VALUE: &str = "correct horse battery staple";
/// The number of secrets: more than two pages of 25.
const MANY: usize = 60;

/// 60 secrets, of which one is disabled, and 60 versions of `db-password`.
fn local() -> Local {
    let mut local = Local::builder().vault("my-key-vault");
    for number in 1..MANY {
        local = local.seed(format!("secret-{number}"), VALUE);
    }
    for _ in 1..MANY {
        local = local.seed("db-password", VALUE);
    }
    let last = Seed::from(VALUE)
        .with_enabled(false)
        .with_expires(32_503_680_000)
        .with_content_type("text/plain")
        .with_tag("team", "search");
    local.seed("db-password", last).start().unwrap()
}

fn run(local: &Local, arguments: &[&str]) -> Ended {
    let ended = Run::vaultlet(arguments).environment(local.environment().iter().cloned()).end();
    ended.reveals_none_of(&[VALUE], true);
    ended
}

fn json(ended: &Ended) -> Vec<Value> {
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn each_secret_of_a_vault_is_listed() {
    let local = local();
    for arguments in [
        &["list", "my-key-vault", "-o", "value"][..],
        &["list", "akv://my-key-vault", "-o", "value"],
        &["list", "-o", "value", "--vault", "my-key-vault.vault.azure.net"],
        &["list", "-o", "value", "https://my-key-vault.vault.azure.net/"],
    ] {
        let ended = run(&local, arguments);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        let names: Vec<_> = ended.stdout.lines().collect();
        assert_eq!((names.len(), names.first().copied()), (MANY, Some("db-password")));
        assert!(names.is_sorted(), "{names:?}");
    }
    assert_eq!(local.counters().operation("list", 200), 4 * 3, "{:?}", local.counters());

    let ended = run(&local, &["list", "my-key-vault", "-o", "json"]);
    let items = json(&ended);
    let first = items.first().unwrap();
    for (name, expected) in [
        ("reference", Value::from("akv://my-key-vault.vault.azure.net/db-password")),
        ("vault", "my-key-vault.vault.azure.net".into()),
        ("name", "db-password".into()),
        ("version", Value::Null),
        ("value", Value::Null),
        ("enabled", false.into()),
        ("expires", 32_503_680_000_i64.into()),
        ("contentType", "text/plain".into()),
        ("recoveryLevel", "Recoverable+Purgeable".into()),
        ("recoverableDays", 90.into()),
    ] {
        assert_eq!(first.get(name).unwrap_or(&Value::Null), &expected, "{name}");
    }
    assert_eq!(first.pointer("/tags/team"), Some(&"search".into()));
    // A listed reference can be read.
    let reference = items.last().unwrap().get("reference").unwrap().as_str().unwrap();
    let got = Run::vaultlet(["get", reference]).environment(local.environment().iter().cloned());
    assert_eq!(got.end().stdout, VALUE);

    let ended = run(&local, &["list", "my-key-vault"]);
    let mut lines = ended.stdout.lines();
    assert_eq!(lines.next(), Some("ENABLED  CREATED               EXPIRES               NAME"));
    let line = lines.next().unwrap();
    assert!(
        line.starts_with("no       20") && line.ends_with("Z  3000-01-01T00:00:00Z  db-password")
    );
    assert_eq!(lines.count(), MANY - 1);
}

#[test]
fn each_version_of_a_secret_is_listed_newest_first() {
    let local = local();
    for arguments in [
        &["versions", "db-password", "--vault", "my-key-vault", "-o", "json"][..],
        &["versions", "akv://my-key-vault/DB-Password", "-o", "json"],
        &["versions", "https://my-key-vault.vault.azure.net/secrets/db-password", "-o", "json"],
    ] {
        let items = json(&run(&local, arguments));
        assert_eq!(items.len(), MANY);
        let created: Vec<_> = items.iter().map(|i| i.get("created").unwrap().as_i64()).collect();
        assert!(created.is_sorted_by(|a, b| a >= b), "{created:?}");
        let disabled = items.iter().filter(|i| i.get("enabled") == Some(&false.into()));
        assert_eq!(disabled.count(), 1);
        let is_own = |item: &Value| {
            let version = item.get("version").unwrap().as_str().unwrap();
            let reference = item.get("reference").unwrap().as_str().unwrap();
            reference == format!("akv://my-key-vault.vault.azure.net/db-password/{version}")
        };
        assert!(items.iter().all(is_own), "{items:?}");
    }
    let of_one = run(&local, &["versions", "secret-1", "--vault", "my-key-vault", "-o", "value"]);
    let version = of_one.stdout.trim_end();
    assert!(version.len() == 32 && version.bytes().all(|b| b.is_ascii_hexdigit()), "{of_one:?}");
    let table = run(&local, &["versions", "akv://my-key-vault/secret-1"]);
    assert!(table.stdout.contains("EXPIRES               VERSION\nyes      20"), "{table:?}");
    assert!(table.stdout.ends_with(&format!("  -                     {version}\n")), "{table:?}");
}

#[test]
fn the_vault_may_be_a_variable_and_a_reference_overrides_it() {
    let local = Local::builder().vault("job").vault("other").seed("a", VALUE).start().unwrap();
    let mut variables = local.environment().to_vec();
    variables.push(("VAULTLET_VAULT".into(), "job".into()));
    for (arguments, vault) in [
        (&["list", "-o", "json"][..], "job.vault.azure.net"),
        (&["list", "-o", "json", "--vault", "other"], "other.vault.azure.net"),
        (&["list", "-o", "json", "akv://other"], "other.vault.azure.net"),
        (&["versions", "-o", "json", "a"], "job.vault.azure.net"),
        (&["versions", "-o", "json", "akv://other/a"], "other.vault.azure.net"),
    ] {
        let ended = Run::vaultlet(arguments).environment(variables.clone()).end();
        let items = json(ended.reveals_none_of(&[VALUE], true));
        assert_eq!(items.first().unwrap().get("vault"), Some(&vault.into()), "{arguments:?}");
    }
}

#[test]
fn references_listed_from_a_vault_url_keep_its_host_and_port() {
    let local = Local::builder().seed("a", VALUE).start().unwrap();
    let vault = local.vault("job").unwrap();
    for (url, prefix) in [
        (vault.http(), format!("{}/secrets/a", vault.http())),
        (vault.localhost(), format!("{}/a", vault.localhost().replace("https:", "akv:"))),
    ] {
        let list = ["list", url, "-o", "json", "--allow-http-loopback"];
        let reference = format!("{url}/secrets/a");
        let versions = ["versions", &reference, "-o", "json", "--allow-http-loopback"];
        for arguments in [list, versions] {
            let items = json(&run(&local, &arguments));
            let reference = items.first().unwrap().get("reference").unwrap().as_str().unwrap();
            assert!(reference.starts_with(&prefix), "{reference}");
        }
    }
}

#[test]
fn each_failure_is_one_line_and_an_exit_code() {
    let local = local();
    let nowhere = "versions of secret `nowhere` of my-key-vault.vault.azure.net: there is no such";
    for (arguments, code, part) in [
        (&["list"][..], 64, "`list` needs a vault"),
        (&["list", "a", "b"], 64, "(usage)"),
        (&["list", "akv://my-key-vault", "--vault", "x"], 64, "contradicts"),
        (&["list", "my-key-vault", "-o", "env"], 64, "(usage)"),
        (&["versions"], 64, "(usage)"),
        (&["versions", "db-password"], 64, "`versions` needs a reference"),
        (&["versions", "akv://my-key-vault/a", "--vault", "x"], 64, "contradicts"),
        (&["list", "my_vault"], 65, "(reference-malformed)"),
        (&["list", "akv://my-key-vault/db-password"], 65, "more than a vault"),
        (&["versions", "akv://my-key-vault"], 65, "(reference-malformed)"),
        (&["versions", "akv://my-key-vault/db-password?json=/a"], 65, "leave the version"),
        (&["versions", "nowhere", "--vault", "my-key-vault"], 66, nowhere),
        (&["list", "http://127.0.0.1:1"], 65, "`VAULTLET_ALLOW_HTTP_LOOPBACK`"),
    ] {
        let ended = run(&local, arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{arguments:?} {ended:?}");
        assert!(ended.stderr.contains(part) && ended.stderr.lines().count() == 1, "{ended:?}");
    }
    let ended = run(&local, &["versions", "akv://my-key-vault/nowhere", "-o", "json"]);
    let error: Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(error.pointer("/error/kind"), Some(&"not-found".into()), "{ended:?}");
}

#[test]
fn a_reader_may_list_and_a_user_of_one_secret_may_not() {
    let local = local();
    let grant = |role, name: Option<&str>| {
        local.grant(Grant { who: Who::Managed, role, name: name.map(Into::into) });
    };
    grant(Role::Reader, None);
    assert_eq!(run(&local, &["list", "my-key-vault"]).code, 0);
    assert_eq!(run(&local, &["get", "akv://my-key-vault/secret-1"]).code, 77);
    grant(Role::None, None);
    grant(Role::SecretsUser, Some("secret-1"));
    let ended = run(&local, &["list", "my-key-vault"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (77, ""), "{ended:?}");
    for part in ["[ForbiddenByRbac]", "`Key Vault Reader`", "on the vault", "(vault-forbidden)"] {
        assert!(ended.stderr.contains(part), "{ended:?}");
    }
}

#[test]
fn a_handle_lists_secrets_and_versions() {
    let local = local();
    let vaultlet = Vaultlet::builder().variables(local.environment().iter().cloned()).open();
    let vaultlet = vaultlet.unwrap();
    for vault in ["my-key-vault", " akv://my-key-vault ", "my-key-vault.vault.azure.net"] {
        assert_eq!(vaultlet.list_blocking(vault).unwrap().len(), MANY, "{vault}");
    }
    let versions = vaultlet.versions_blocking("akv://my-key-vault/db-password").unwrap();
    assert_eq!(versions.len(), MANY);
    assert!(versions.is_sorted_by(|a, b| a.created >= b.created));
    let error = vaultlet.versions_blocking("akv://my-key-vault/nowhere").unwrap_err();
    assert_eq!((error.kind, error.id.as_str()), (Kind::NotFound, "secret-not-found"));
    assert_eq!(local.counters().tokens_issued, 1, "{:?}", local.counters());
}

const TOKEN: &str = "T0KEN.of-a-vault-that-says-anything";

/// A vault whose responses have a chosen body, its URL, and a handle for it.
fn odd(body: impl Fn(&str, &str) -> String + Send + Sync + 'static) -> (Server, String, Vaultlet) {
    let server = Server::plain(move |request| {
        let origin = format!("http://{}", request.header("host"));
        if request.target.starts_with("/MSI/") {
            let token = format!(r#"{{"access_token":"{TOKEN}","expires_in":3600}}"#);
            return Answer::json(200, token);
        }
        if request.header("authorization").is_empty() {
            let challenge = format!(
                r#"Bearer authorization="https://login.microsoftonline.com/common", resource="{origin}""#
            );
            return Answer::status(401).header("www-authenticate", challenge);
        }
        Answer::json(200, body(&origin, &request.target))
    });
    let origin = format!("http://127.0.0.1:{}", server.port());
    let vaultlet = Vaultlet::builder()
        .variables([("MSI_ENDPOINT", format!("{origin}/MSI/auth").as_str()), ("MSI_SECRET", VALUE)])
        .allow_http_loopback(true)
        .open()
        .unwrap();
    (server, origin, vaultlet)
}

#[track_caller]
fn unexpected(error: &Error, part: &str) {
    let line = error.to_string();
    assert_eq!((error.kind, error.id.as_str()), (Kind::Unavailable, "vault-unexpected"), "{line}");
    assert!(line.contains(part) && !line.contains(TOKEN) && !line.contains(VALUE), "{line}");
}

/// The vault sends pages of the maximum size without end.
#[test]
fn a_list_has_a_maximum_length() {
    const ITEMS: usize = 6_000;
    let (server, origin, vaultlet) = odd(|origin, target| {
        let item = |number| format!(r#"{{"id":"{origin}/secrets/n{number}"}}"#);
        let items: Vec<_> = (0..ITEMS).map(item).collect();
        format!(r#"{{"value":[{}],"nextLink":"{origin}{target}x"}}"#, items.join(","))
    });
    unexpected(&vaultlet.list_blocking(&origin).unwrap_err(), "more than 100000");
    let pages = server.requests().iter().filter(|a| a.target.starts_with("/secrets?")).count();
    // The first request, without a token, counts too.
    assert_eq!(pages, 100_000 / ITEMS + 2);
}

/// Each response has as many JSON values as its size limit allows.
#[test]
fn a_page_of_countless_small_json_values_is_refused() {
    for one in ["0", "{}", "[]", r#""""#, r#"{"a":{"b":0}}"#] {
        let of = move |bytes: usize| vec![one; bytes / (one.len() + 1)].join(",");
        let (_server, origin, vaultlet) =
            odd(move |_, target| match target.contains("/secrets?") {
                true => format!(r#"{{"value":[{}]}}"#, of((1 << 20) - 20)),
                false => format!(r#"{{"value":"x","tags":[{}]}}"#, of((512 << 10) - 30)),
            });
        unexpected(&vaultlet.list_blocking(&origin).unwrap_err(), "listing the secrets of");
        unexpected(&vaultlet.get_blocking(&format!("{origin}/secrets/a")).unwrap_err(), "reading");
    }
}
