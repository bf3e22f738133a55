//! A plugin reads exactly the secrets and lists that it was granted, in any form of reference.

use vaultlet_dev::{Seed, Who};
use vaultlet_host::Kind;

use crate::job::{DB, Job, VALUE, log, of_others, read};

fn value(of: &str) -> String {
    format!("ok(\"{of}\")")
}

#[test]
fn a_granted_secret_shares_the_token_and_connections_of_the_handle() {
    let job = Job::new();
    let plugin = job.plugin().grant(DB).open().unwrap();
    assert_eq!(job.call(&plugin, &read(DB)), value(VALUE));
    let counters = job.local.counters();
    assert_eq!((counters.tokens_issued, counters.operation("get", 200)), (1, 1), "{counters:?}");
    // The handle and its plugins share a token and connections.
    assert_eq!(job.vaultlet.get_blocking(DB).unwrap().reveal(), VALUE);
    assert_eq!(job.call(&plugin, &read(DB)), value(VALUE));
    let counters = job.local.counters();
    assert_eq!((counters.tokens_issued, counters.operation("get", 200)), (1, 3), "{counters:?}");
}

#[test]
fn a_reference_without_a_grant_is_refused_alike_and_without_a_request() {
    let job = Job::new();
    let plugin = job.plugin().grant(DB).open().unwrap();
    for _ in 0..2 {
        for name in ["ungranted", "missing"] {
            let result = job.call(&plugin, &read(&format!("akv://job/{name}")));
            let expected = format!(
                "err(\"ErrorKind::Denied: getting a secret: `akv://job.vault.azure.net/{name}` is not \
                 granted to this plugin; grant it where the plugin is opened (plugin-not-granted)\")"
            );
            assert_eq!(result, expected);
        }
        for other in ["akv://other/db", "akv://job/db2", "akv://job/DB", "akv://job.evil.test/db"] {
            let result = job.call(&plugin, &read(other));
            assert!(result.contains("(plugin-not-granted)"), "{other}: {result}");
        }
    }
    let counters = job.local.counters();
    assert_eq!((counters.vault_requests(), counters.identity_requests()), (0, 0), "{counters:?}");
}

#[test]
fn without_a_grant_nothing_is_read() {
    let job = Job::new();
    let plugin = job.plugin().open().unwrap();
    for _ in 0..2 {
        assert!(job.call(&plugin, &read(DB)).contains("(plugin-not-granted)"));
    }
    assert_eq!(job.local.counters().vault_requests(), 0);
}

#[test]
fn a_grant_covers_every_form_of_a_reference() {
    let job = Job::new();
    let forms = [
        DB,
        "akv://JOB.vault.azure.net/db",
        "https://job.vault.azure.net/secrets/db",
        "@Microsoft.KeyVault(VaultName=job;SecretName=db)",
    ];
    for granted in forms {
        let plugin = job.plugin().grant(granted).open().unwrap();
        for requested in forms {
            assert_eq!(job.call(&plugin, &read(requested)), value(VALUE), "{granted} {requested}");
        }
    }
}

#[test]
fn a_grant_of_a_version_or_a_member_covers_only_that() {
    const JSON: &str = r#"{"user":"sa","deep":{"user":"root"},"":"empty"}"#;
    let job = Job::with(|local| local.seed("json", JSON));
    let secret = job.vaultlet.get_blocking("akv://job/json").unwrap();
    let version = secret.properties().version.clone().unwrap();
    let other = "0".repeat(32);
    let versioned = format!("akv://job/json/{version}");
    let (user, deep) = ("?json=/user", "?json=/deep/user");
    let denied = "(plugin-not-granted)";
    let json = "akv://job/json";
    let not_found = "(secret-not-found)";
    for (granted, requested, expected) in [
        (json.to_owned(), format!("{json}{user}"), "sa"),
        (json.to_owned(), format!("{versioned}{deep}"), "root"),
        (json.to_owned(), format!("{json}/{other}"), not_found),
        (versioned.clone(), format!("{versioned}{user}"), "sa"),
        (versioned.clone(), format!("akv://job/json/{}{user}", version.to_uppercase()), "sa"),
        (versioned.clone(), format!("{json}{user}"), denied),
        (versioned.clone(), format!("{json}/{other}"), denied),
        (format!("{json}{user}"), format!("{json}{user}"), "sa"),
        (format!("{json}{user}"), format!("{versioned}{user}"), "sa"),
        (format!("{json}{user}"), format!("{json}?json=/us%65r"), "sa"),
        (format!("{json}{user}"), json.to_owned(), denied),
        (format!("{json}{user}"), format!("{json}{deep}"), denied),
        (format!("{json}{user}"), format!("{json}?json=/"), denied),
        (format!("{json}{user}"), format!("{json}?json="), denied),
        (format!("{versioned}{user}"), format!("{json}{user}"), denied),
        (format!("{versioned}{user}"), format!("{versioned}{user}"), "sa"),
    ] {
        let plugin = job.plugin().grant(&granted).open().unwrap();
        for _ in 0..2 {
            let result = job.call(&plugin, &read(&requested));
            assert!(
                result.contains(expected),
                "granted {granted}, requested {requested}: {result}"
            );
        }
    }
}

#[test]
fn a_plugin_chooses_no_identity() {
    let job = Job::new();
    let plugin = job.plugin().grant(DB).open().unwrap();
    let arguments = format!("\"{DB}\", \"11111111-1111-4111-8111-111111111111\"");
    for _ in 0..2 {
        let result = job.call(&plugin, &of_others("read-as", &arguments));
        assert!(result.contains("no plugin may choose an identity"), "{result}");
        assert!(result.contains("Denied") && result.contains("(plugin-not-granted)"), "{result}");
    }
    assert_eq!(job.local.counters().identity_requests(), 0);
}

#[test]
fn a_plugin_lists_only_a_vault_that_it_was_granted() {
    let many = (0..60).map(|n| format!("many-{n:02}"));
    let job = Job::with(|local| many.fold(local, |local, name| local.seed(name, VALUE)));
    let list = |vault| of_others("secrets", &format!("\"{vault}\""));
    let versions = |of| of_others("versions", &format!("\"{of}\""));
    let reader = job.plugin().grant(DB).open().unwrap();
    for _ in 0..2 {
        for denied in [list("akv://job"), list("job"), list("other"), list("nowhere")] {
            let result = job.call(&reader, &denied);
            assert!(result.contains("Denied: listing a page: `akv://"), "{result}");
            assert!(result.contains("(plugin-not-granted)"), "{result}");
        }
        let result = job.call(&reader, &versions("akv://job/ungranted"));
        assert!(result.contains("(plugin-not-granted)"), "{result}");
    }
    assert_eq!(job.local.counters().vault_requests(), 0);
    // A grant of a secret in every version includes the list of its versions.
    assert_eq!(job.call(&reader, &versions(DB)), "ok(1)");

    for granted in ["job", "akv://job", "https://job.vault.azure.net"] {
        let lister = job.plugin().grant_list(granted).open().unwrap();
        let result = job.call(&lister, &list("akv://job"));
        assert_eq!(result.matches("many-").count(), 60, "{result}");
        assert!(result.starts_with(r#"ok(["db", "many-00", "#), "{result}");
        assert_eq!(job.call(&lister, &versions("akv://job/ungranted")), "ok(1)");
        assert!(job.call(&lister, &versions("akv://job/absent")).contains("(secret-not-found)"));
        for denied in [list("other"), list("akv://job2"), versions("akv://other/db"), read(DB)] {
            let result = job.call(&lister, &denied);
            assert!(result.contains("(plugin-not-granted)"), "{denied}: {result}");
        }
        let call = of_others("secrets-as", "\"job\", \"11111111-1111-4111-8111-111111111111\"");
        assert!(job.call(&lister, &call).contains("no plugin may choose an identity"));
    }
    let version = "0".repeat(32);
    let of_version = job.plugin().grant(format!("{DB}/{version}")).open().unwrap();
    assert!(job.call(&of_version, &versions(DB)).contains("(plugin-not-granted)"));
}

#[test]
fn a_grant_of_a_vault_is_not_a_grant_of_its_secrets_nor_the_reverse() {
    let job = Job::new();
    let error = job.plugin().grant_list(DB).open().unwrap_err();
    assert_eq!((error.kind, error.id.as_str()), (Kind::InvalidArgument, "reference-malformed"));
    let plugin = job.plugin().grant(DB).grant_list("job").open().unwrap();
    for call in [
        read("akv://job"),
        of_others("secrets", &format!("\"{DB}\"")),
        of_others("versions", "\"akv://job\""),
        of_others("versions", &format!("\"{DB}?json=/x\"")),
        of_others("secrets", "\"\""),
    ] {
        let result = job.call(&plugin, &call);
        assert!(result.contains("InvalidArgument"), "{call}: {result}");
    }
}

#[test]
fn a_secret_has_its_properties() {
    let seed = || Seed::from("x").with_content_type("text/plain").with_tag("team", "data");
    let job = Job::with(|local| local.seed("tagged", seed()));
    let plugin = job.plugin().grant("akv://job/tagged").open().unwrap();
    let result = job.call(&plugin, &of_others("properties", "\"akv://job/tagged\""));
    assert_eq!(result, r#"ok(("tagged", some("text/plain"), [("team", "data")]))"#);
}

/// A plugin tells errors apart by kind and id, as on any runtime.
#[test]
fn a_plugin_sees_errors_of_the_vault_and_of_a_reference() {
    let job =
        Job::with(|local| local.seed("off", Seed::from("x").with_enabled(false)).run_as(Who::User));
    let plugin = job.plugin().grant("akv://job/off").grant("akv://job/absent").open().unwrap();
    let long = format!("akv://job/{}", "x".repeat(5_000));
    for (reference, kind, id) in [
        ("akv://job/off", "Disabled", "secret-disabled"),
        ("akv://job/absent", "NotFound", "secret-not-found"),
        ("akv://job", "InvalidArgument", "reference-malformed"),
        (long.as_str(), "InvalidArgument", "argument-malformed"),
        ("nonsense\u{7}", "InvalidArgument", "reference-malformed"),
    ] {
        let result = job.call(&plugin, &read(reference));
        assert!(result.contains(&format!("ErrorKind::{kind}: ")), "{result}");
        assert!(result.contains(&format!("({id})")), "{result}");
    }
}

#[test]
fn a_malformed_grant_is_an_error_when_the_plugin_is_opened() {
    let job = Job::new();
    for reference in ["", "akv://job", "akv://job/no_name", "job/*"] {
        let error = job.plugin().grant(reference).open().unwrap_err();
        job.say(&format!("{error} {error:?}"));
        let (kind, id) = (error.kind, error.id.as_str());
        assert_eq!((kind, id), (Kind::InvalidArgument, "reference-malformed"), "{reference}");
    }
}

#[test]
fn each_access_is_logged() {
    let job = Job::new();
    let plugin = job.plugin().grant(DB).name("of-the-log").open().unwrap();
    assert_eq!(format!("{plugin:?}"), "Plugin(of-the-log)");
    job.call(&plugin, &read(DB));
    job.call(&plugin, &read("akv://job/ungranted"));
    job.call(&plugin, &read("no\nreference"));
    let log = log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("of-the-log")).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (line, expected) in lines.iter().zip([
        "getting a secret akv://job.vault.azure.net/db ok",
        "getting a secret akv://job.vault.azure.net/ungranted plugin-not-granted",
        "getting a secret - reference-malformed",
    ]) {
        assert!(line.ends_with(&format!("INFO vaultlet::plugin: of-the-log {expected}")), "{line}");
    }
}
