//! Components that know nothing of vaults, composed with an adapter and the vaultlet component, on stock
//! `wasmtime`.

use std::path::PathBuf;
use std::sync::OnceLock;

use vaultlet_tests::Ended;
use vaultlet_tests::guests::{adapter, composed, guest};
use vaultlet_tests::stock::{Job, VALUE, component};

const VARIABLE: &str = "VAULTLET_CONFIG_REFERENCES";

#[test]
fn configuration_is_read_through_wasi_config() {
    let Some(job) = Job::new() else { return };
    let app = App { component: configured(), job };
    let list = app.list(&[("password", "db"), ("hub", "hub-token")]);
    let length = VALUE.len();
    for (list, call, expected) in [
        (&*list, "describe(\"password\")", format!("ok(\"password has {length} bytes\")")),
        (&list, "describe(\"hub\")", "ok(\"hub has 4 bytes\")".into()),
        (&list, "describe(\"db\")", "ok(\"db is not there\")".into()),
        (&list, "all()", format!("ok(\"password:{length} hub:4\")")),
        ("", "describe(\"password\")", "ok(\"password is not there\")".into()),
        ("", "all()", "ok(\"\")".into()),
    ] {
        assert_eq!(app.call(list, call).stdout.trim_end(), expected, "{call} with {list}");
    }
    // A key may itself be a reference only where no list is set.
    let reference = app.job.reference("db");
    let call = format!("describe(\"{reference}\")");
    let result = app.call("", &call).stdout;
    assert!(result.contains(&format!("has {length} bytes")), "{result}");
    let result = app.call(&list, &call).stdout;
    assert!(result.contains("is not there"), "{result}");
}

#[test]
fn configuration_that_cannot_be_read_is_an_error() {
    let Some(job) = Job::new() else { return };
    let app = App { component: configured(), job };
    let list = app.list(&[("hub", "hub-token"), ("a", "denied"), ("b", "missing")]);
    for (call, id) in [
        ("describe(\"a\")", "vault-forbidden"),
        ("describe(\"b\")", "secret-not-found"),
        // If one secret cannot be read, no value is returned.
        ("all()", "vault-forbidden"),
    ] {
        let result = app.call(&list, call).stdout;
        assert!(
            result.starts_with("err(\"upstream: ") && result.contains(&format!("({id})")),
            "{result}"
        );
    }
    let result = app.call("a=http://127.0.0.1:1/secrets/db", "describe(\"a\")").stdout;
    assert!(result.starts_with("err(\"io: ") && result.contains("(vault-unreachable)"), "{result}");
    for list in ["hunter2", "a=hunter2", "=akv://job/db", "a=akv://job/db,a=akv://job/db", "a="] {
        let result = app.call(list, "describe(\"a\")").stdout;
        assert!(
            result.contains("(setting-malformed)") && result.contains(VARIABLE),
            "{list}: {result}"
        );
        assert!(!result.contains("hunter2"), "{result}");
    }
}

#[test]
fn secrets_are_read_through_the_wasmcloud_interface() {
    let Some(job) = Job::new() else { return };
    let app = App { component: app("clouded", "wasmcloud"), job };
    let list = app.list(&[("password", "db"), ("a", "denied"), ("b", "missing")]);
    let length = VALUE.len();
    for (list, key, expected) in [
        (&*list, "password", format!("ok(\"password has {length} bytes\")")),
        (&list, "b", "err(\"not found\")".into()),
        (&list, "db", "err(\"not found\")".into()),
        ("", "password", "err(\"not found\")".into()),
    ] {
        let call = format!("describe(\"{key}\")");
        assert_eq!(app.call(list, &call).stdout.trim_end(), expected, "{call} with {list}");
    }
    let result = app.call(&list, "describe(\"a\")").stdout;
    assert!(result.contains("upstream: ") && result.contains("(vault-forbidden)"), "{result}");
    let result = app.call("a=http://127.0.0.1:1/secrets/db", "describe(\"a\")").stdout;
    assert!(result.contains("io: ") && result.contains("(vault-unreachable)"), "{result}");
    let result = app.call("hunter2", "describe(\"a\")").stdout;
    assert!(result.contains("(setting-malformed)") && !result.contains("hunter2"), "{result}");
}

/// The guest that uses `wasi:config`, composed once.
fn configured() -> PathBuf {
    static APP: OnceLock<PathBuf> = OnceLock::new();
    APP.get_or_init(|| app("configured", "config")).clone()
}

/// Composes a guest with an adapter, and both with the component, like two runs of `wac plug`.
fn app(guest_name: &str, adapter_name: &str) -> PathBuf {
    let adapted = composed(&adapter(adapter_name), &component(), adapter_name);
    composed(&guest(guest_name), &adapted, &format!("{guest_name}-app"))
}

struct App {
    component: PathBuf,
    job: Job,
}

impl App {
    /// A list of keys and the names of their secrets.
    fn list(&self, keys: &[(&str, &str)]) -> String {
        let pair = |(key, name): &(&str, &str)| format!("{key}={}", self.job.reference(name));
        keys.iter().map(pair).collect::<Vec<_>>().join(", ")
    }

    fn call(&self, list: &str, call: &str) -> Ended {
        let ended =
            self.job.wasmtime_with(&[(VARIABLE, list)], &["--invoke", call], &self.component, &[]);
        assert_eq!(ended.code, 0, "{call}: {}", ended.stderr);
        ended.reveals_none_of(&[VALUE, self.job.msi_secret()], true);
        ended
    }
}
