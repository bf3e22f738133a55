//! `vaultlet doctor`: what each check finds in places where something is wrong, with which exit code, and what
//! it says to do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bundle;
mod identities;
mod networks;
mod references;

use serde_json::Value;
use vaultlet_dev::{Local, Seed};
use vaultlet_tests::server::{Answer, Server};
use vaultlet_tests::tls::Leaf;
use vaultlet_tests::{Ended, Run, vaultlet};

const VALUE: &str = "sentinel-of-a-value";
const REFERENCE: &str = "akv://job/db-password";
/// The states of checks that are not named in an expectation.
const CHECKS: [&str; 13] = [
    "platform",
    "settings",
    "references",
    "proxy",
    "identity",
    "token",
    "name",
    "connection",
    "tls",
    "access",
    "secret",
    "clock",
    "limits",
];

/// A place where something is wrong, or nothing.
#[derive(Default)]
struct Place {
    variables: Vec<(String, String)>,
    arguments: Vec<String>,
    /// A line of shell before the program.
    setup: &'static str,
}

/// What is expected of a check: its name, its state, and words of what was seen and of what to do.
type Expected<'a> = (&'a str, &'a str, &'a str, &'a str);

impl Place {
    /// A job in this local Azure, which checks one secret.
    fn job(local: &Local) -> Self {
        Self::without_reference(local).argument(REFERENCE)
    }

    fn without_reference(local: &Local) -> Self {
        Self { variables: local.environment().to_vec(), ..Self::default() }
    }

    /// The identity of this local Azure, and no way to its vaults.
    fn identity(local: &Local) -> Self {
        let mut place = Self::job(local);
        place.variables.retain(|(name, _)| name.starts_with("MSI_"));
        place
    }

    /// A vault on this server, beside that identity.
    fn at(local: &Local, server: &Server) -> Self {
        let rule = format!("job.vault.azure.net:443:127.0.0.1:{}", server.port());
        Self::identity(local).argument("--resolve").argument(&rule)
    }

    fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self = self.unset(&[name]);
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    fn unset(mut self, names: &[&str]) -> Self {
        self.variables.retain(|(name, _)| !names.contains(&name.as_str()));
        self
    }

    fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    fn after(self, setup: &'static str) -> Self {
        Self { setup, ..self }
    }

    fn run(&self, more: &[&str]) -> Ended {
        Run::program("sh")
            .arguments(["-c", &format!("{}\nexec \"$@\"", self.setup), "sh"])
            .arguments([vaultlet()])
            .arguments(["doctor"])
            .arguments(&self.arguments)
            .arguments(more)
            .environment(self.variables.iter().cloned())
            .end()
    }

    /// Fails unless the exit code is this one, these checks found this, and no other check failed or warned; but
    /// those that wait for one that failed.
    #[track_caller]
    fn expect(&self, what: &str, code: i32, expected: &[Expected<'_>]) {
        let ended = self.run(&["-o", "json"]);
        ended.reveals_none_of(&[VALUE], true);
        assert_eq!(ended.code, code, "{what}: {}{}", ended.stdout, ended.stderr);
        let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
        let checks = answer["checks"].as_array().unwrap();
        let text = |check: &Value, member: &str| check[member].as_str().unwrap().to_owned();
        let failed: Vec<_> = expected.iter().filter(|it| it.1 == "fail").map(|it| it.0).collect();
        for (id, state, seen, help) in expected {
            let is_it = |check: &&Value| {
                check["id"] == *id && check["state"] == *state && text(check, "seen").contains(seen)
            };
            let check = checks.iter().find(is_it);
            let check = check.unwrap_or_else(|| panic!("{what}: {id} {state} {seen}: {answer:#}"));
            assert!(text(check, "help").contains(help), "{what}: {help}: {check:#}");
            assert_eq!(*state == "ok", text(check, "help").is_empty(), "{what}: {check:#}");
        }
        // The last line of stderr is the error of the first check that failed.
        let failed_first = checks.iter().find(|check| check["state"] == "fail");
        assert_eq!(
            ended.stderr.lines().count(),
            usize::from(code != 0),
            "{what}: {}",
            ended.stderr
        );
        if let Some(first) = failed_first {
            let error: Value = serde_json::from_str(&ended.stderr).unwrap();
            let id = error["error"]["id"].as_str().unwrap();
            assert!(text(first, "seen").ends_with(&format!("({id})")), "{what}: {error} {first:#}");
        }
        for check in checks {
            let (id, seen) = (text(check, "id"), text(check, "seen"));
            assert!(CHECKS.contains(&id.as_str()), "{id}");
            let waits =
                failed.iter().any(|failed| seen.contains(&format!("because `{failed}` failed")));
            let is_expected = expected.iter().any(|it| it.0 == id && check["state"] == it.1);
            assert!(check["state"] == "ok" || waits || is_expected, "{what}: {check:#}");
        }
    }
}

fn local() -> Local {
    Local::builder().seed("db-password", VALUE).start().unwrap()
}

/// A vault over TLS that has the secret, at which it is this time.
fn vault(leaf: &Leaf, date: Option<String>) -> Server {
    Server::tls(leaf, move |_| {
        let body = format!(
            r#"{{"value":"{VALUE}","id":"https://job.vault.azure.net/secrets/db-password/0123456789abcdef0123456789abcdef","attributes":{{"enabled":true}}}}"#
        );
        let answer = Answer::json(200, body);
        match &date {
            Some(date) => answer.header("date", date),
            None => answer,
        }
    })
}

#[test]
fn nothing_is_wrong() {
    let local = local();
    let all = [
        ("platform", "ok", "vaultlet ", ""),
        ("settings", "ok", "`VAULTLET_CA_FILE`", ""),
        ("references", "ok", "akv://job.vault.azure.net/db-password", ""),
        ("proxy", "ok", "job.vault.azure.net through 127.0.0.1:", ""),
        ("identity", "ok", "found: managed-identity (azure-ml)", ""),
        (
            "token",
            "ok",
            "for https://vault.azure.net, by managed-identity (azure-ml), object id ",
            "",
        ),
        ("name", "ok", "looked up by the proxy", ""),
        ("connection", "ok", "through the proxy 127.0.0.1:", ""),
        ("tls", "ok", "issued by CN=vaultlet dev", ""),
        ("access", "ok", "may read it", ""),
        ("secret", "ok", "enabled, does not expire", ""),
        ("clock", "ok", " s ", ""),
        ("limits", "ok", " descriptors", ""),
    ];
    let place = Place::job(&local);
    place.expect("all is well", 0, &all);
    // The same as text, in the same order.
    let ended = place.run(&[]);
    ended.reveals_none_of(&[VALUE], true);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let lines: Vec<_> = ended.stdout.lines().map(|line| line.split_whitespace().take(2)).collect();
    assert!(
        lines.into_iter().zip(CHECKS).all(|(line, id)| line.eq(["ok", id])),
        "{}",
        ended.stdout
    );
    // A vault on this machine needs no proxy and no TLS.
    let url = format!("{}/secrets/db-password", local.vault("job").unwrap().http());
    let place = Place::without_reference(&local).argument("--allow-http-loopback").argument(&url);
    place.expect(
        "plain HTTP",
        0,
        &[("tls", "ok", "plain HTTP", ""), ("name", "ok", "127.0.0.1 (private)", "")],
    );
    let url = format!("{}/secrets/db-password", local.vault("job").unwrap().localhost());
    let place = Place::without_reference(&local).argument(&url);
    place.expect("localhost", 0, &[("connection", "ok", "reached directly", "")]);
}

#[test]
fn limits_of_the_process() {
    let local = local();
    Place::job(&local).after("ulimit -n 60").expect(
        "few",
        0,
        &[("limits", "warn", "60 descriptors", "`ulimit -n`")],
    );
    Place::job(&local).after("ulimit -n 18").expect(
        "too few",
        78,
        &[("limits", "fail", "(descriptor-limit)", "`ulimit -n`")],
    );
    let ended = Place::job(&local).after("ulimit -n 8").run(&[]);
    assert_eq!(ended.code, 78, "{}", ended.stdout);
    assert!(ended.stdout.contains("(descriptor-limit)"), "{}", ended.stdout);
    Place::job(&local).after("ulimit -v 900000").expect(
        "few addresses",
        0,
        &[("limits", "warn", "address space 878 MiB", "`ulimit -v`")],
    );
    // Wherever the addresses or descriptors run out: when the handle is opened, or on the way.
    let tight = [
        "ulimit -v 80000",
        "ulimit -v 120000",
        "ulimit -v 160000",
        "ulimit -v 200000",
        "ulimit -v 240000",
        "ulimit -v 280000",
        "ulimit -v 320000",
        "ulimit -v 360000",
        "ulimit -n 9",
        "ulimit -n 10",
        "ulimit -n 11",
        "ulimit -n 12",
        "ulimit -n 13",
    ];
    let failed = tight.map(|limit| {
        let ended = Place::job(&local).after(limit).run(&[]);
        let failed: Vec<_> = ended.stdout.lines().filter(|line| line.starts_with("fail")).collect();
        assert!(
            failed.iter().all(|line| line.starts_with("fail  limits")),
            "{limit}: {}",
            ended.stdout
        );
        assert_eq!(ended.code, if failed.is_empty() { 0 } else { 78 }, "{limit}: {}", ended.stdout);
        // The machine's side is fine, and the token is not there.
        !failed.is_empty() && ended.stdout.contains("ok    name")
    });
    assert!(failed.contains(&true), "no limit was met on the way");
}

#[test]
fn arguments_that_are_wrong_end_the_command() {
    let local = local();
    for (arguments, code, text) in [
        (vec!["--nope"], 64, "see `vaultlet doctor --help`"),
        (vec!["-e", "1=x"], 64, "NAME=VALUE"),
        (vec!["-o", "value"], 64, "--output"),
        (vec!["--bundle", "/"], 73, "(bundle-exists)"),
    ] {
        let mut place = Place::job(&local);
        arguments.iter().for_each(|argument| place.arguments.push((*argument).to_owned()));
        let ended = place.run(&[]);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (code, ""),
            "{arguments:?}: {}",
            ended.stderr
        );
        assert!(ended.stderr.contains(text), "{arguments:?}: {}", ended.stderr);
    }
}

/// A secret with these times, in days from now.
fn dated(not_before: Option<i64>, expires: Option<i64>) -> Seed {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let at = |days: i64| i64::try_from(now.as_secs()).unwrap() + days * 24 * 3600;
    let seed = Seed::from(VALUE);
    let seed = not_before.map_or(seed.clone(), |days| seed.with_not_before(at(days)));
    match expires {
        Some(days) => seed.with_expires(at(days)),
        None => seed,
    }
}
