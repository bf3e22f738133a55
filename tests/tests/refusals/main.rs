//! Failures and attacks: each row is one faulty environment, with the message and the exit code that
//! `vaultlet get` must give. All output is scanned for secrets.

#![allow(clippy::type_complexity, reason = "the rows of tables have their types in place")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod authority;
mod identity;
mod input;
mod metadata;
mod namespace;
mod network;
mod told;
mod vault;
mod whole;

use serde_json::Value;
use vaultlet_tests::server::{Answer, Refusing, Request, Server};
use vaultlet_tests::tls::Ca;
use vaultlet_tests::{Ended, Run};

const VALUE: &str = "correct horse battery staple";
const MSI_SECRET: &str = "msi-secret-of-refusals";
const CLIENT_SECRET: &str = "client-secret-of-refusals";
const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ2YXVsdCJ9.c2lnbmF0dXJl";
const HOSTS: [&str; 3] = ["job.vault.azure.net", "other.vault.azure.net", "kv.example.test"];

const BY_ENDPOINT: (&str, &str) = ("MSI_ENDPOINT", "http://127.0.0.1:{identity}/msi/token");
const BY_SECRET: (&str, &str) = ("MSI_SECRET", MSI_SECRET);

/// How a server in a row behaves.
#[derive(Clone, Copy)]
enum Behavior {
    /// The script runs, in plain text for an identity endpoint and over TLS for a vault.
    Script,
    Refused,
    Raw(&'static [u8]),
    RawTls(&'static [u8]),
    /// The script runs in plain text where the client expects TLS.
    Plain,
    UntrustedCa,
    WrongName,
    Expired,
}

/// One faulty environment and its expected error. In texts, `{identity}`, `{vault}` and `{refused}` are
/// ports, `{ca}` is the CA's file and `{folder}` its folder.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    identity: fn(&Request) -> Answer,
    identity_behavior: Behavior,
    vault: fn(&Request) -> Answer,
    vault_behavior: Behavior,
    reference: &'static str,
    flags: &'static [&'static str],
    /// The flags that lead to the scripted vault.
    network: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
    /// The error's exit code, kind and id.
    expected: (i32, &'static str, &'static str),
    /// Texts that the message or the remedy must contain.
    says: &'static [&'static str],
    /// The numbers of requests to the identity endpoint and to the vault, if the row checks them.
    requests: Option<(usize, usize)>,
}

/// The base of all rows, in which nothing is wrong: a job with a managed identity reads a secret.
const ROW: Row = Row {
    name: "",
    identity: token,
    identity_behavior: Behavior::Script,
    vault: secret,
    vault_behavior: Behavior::Script,
    reference: "akv://job/db-password",
    flags: &[],
    network: &[
        "--resolve=job.vault.azure.net:443:127.0.0.1:{vault}",
        "--resolve=other.vault.azure.net:443:127.0.0.1:{vault}",
        "--resolve=kv.example.test:443:127.0.0.1:{vault}",
        "--ca-file={ca}",
    ],
    variables: &[BY_ENDPOINT, BY_SECRET],
    expected: (0, "", ""),
    says: &[],
    requests: None,
};

fn token(_: &Request) -> Answer {
    let text =
        format!(r#"{{"access_token":"{TOKEN}","expires_in":"86400","token_type":"Bearer"}}"#);
    Answer::json(200, text)
}

fn secret(_: &Request) -> Answer {
    Answer::json(200, format!(r#"{{"value":"{VALUE}"}}"#))
}

/// An error in Key Vault's format, with or without an inner code.
fn fault(status: u16, code: &str, inner: Option<&str>) -> Answer {
    let inner = inner.map(|i| format!(r#","innererror":{{"code":"{i}"}}"#)).unwrap_or_default();
    let message = "said by the service\\r\\nCaller: appid=1;oid=2";
    Answer::json(status, format!(r#"{{"error":{{"code":"{code}","message":"{message}"{inner}}}}}"#))
        .header("x-ms-request-id", "5b6c1a3e-0000-4000-8000-000000000001")
}

/// Checks the error of each row, as a line and as JSON.
fn refused(rows: &[Row]) {
    std::thread::scope(|scope| {
        for row in rows {
            scope.spawn(|| {
                let plain = Scene::new(row).run(row, &[]);
                check_line(row, &plain);
                let scene = Scene::new(row);
                let json = scene.run(row, &["--log=debug", "-o", "json"]);
                check_json(row, &json);
                if let Some(expected) = row.requests {
                    let arrived = (scene.requests(&scene.identity), scene.requests(&scene.vault));
                    assert_eq!(arrived, expected, "{}: requests", row.name);
                }
            });
        }
    });
}

fn check_line(row: &Row, ended: &Ended) {
    let (name, stderr) = (row.name, &ended.stderr);
    let (code, _, id) = row.expected;
    assert_eq!(ended.code, code, "{name}: {stderr}");
    assert_eq!(ended.stdout, "", "{name}: an error prints nothing on stdout");
    let lines: Vec<_> = stderr.lines().collect();
    let [line] = lines.as_slice() else { panic!("{name}: not one line: {stderr}") };
    let said = line.strip_prefix("vaultlet: ").unwrap_or_else(|| panic!("{name}: {line}"));
    assert!(said.starts_with(|c: char| c.is_ascii_lowercase()), "{name}: {line}");
    assert!(said.ends_with(&format!("({id})")), "{name}: {line}");
    assert!(said.contains("; "), "{name}: no remedy: {line}");
    for word in row.says {
        assert!(said.contains(word), "{name}: `{word}` is not named: {line}");
    }
    scan(ended);
}

fn check_json(row: &Row, ended: &Ended) -> Value {
    let (name, stderr) = (row.name, &ended.stderr);
    let (code, kind, id) = row.expected;
    assert_eq!(ended.code, code, "{name}: {stderr}");
    assert_eq!(ended.stdout, "", "{name}: an error prints nothing on stdout");
    let last = stderr.lines().last().unwrap_or_default();
    let json: Value = serde_json::from_str(last).unwrap_or_else(|e| panic!("{name}: {e}: {last}"));
    let error = json["error"].clone();
    assert_eq!((error["kind"].as_str(), error["id"].as_str()), (Some(kind), Some(id)), "{name}");
    assert!(!error["help"].as_str().unwrap_or_default().is_empty(), "{name}: no remedy: {last}");
    for word in row.says {
        assert!(last.contains(word), "{name}: `{word}` is not named: {last}");
    }
    scan(ended);
    error
}

fn scan(ended: &Ended) {
    let hidden = [VALUE, MSI_SECRET, CLIENT_SECRET, TOKEN, "c2lnbmF0dXJl"];
    ended.reveals_none_of(&hidden, true);
}

/// The servers of one run.
struct Scene {
    ca: Ca,
    identity: Option<Server>,
    vault: Option<Server>,
    refusing: Refusing,
}

impl Scene {
    fn new(row: &Row) -> Self {
        let ca = Ca::default();
        let identity = match row.identity_behavior {
            Behavior::Refused => None,
            Behavior::Raw(bytes) => Some(Server::raw(bytes)),
            _ => Some(Server::plain(row.identity)),
        };
        let vault = match row.vault_behavior {
            Behavior::Script => Some(Server::tls(&ca.leaf(&HOSTS), row.vault)),
            Behavior::Refused => None,
            Behavior::Raw(bytes) => Some(Server::raw(bytes)),
            Behavior::RawTls(bytes) => Some(Server::raw_tls(&ca.leaf(&HOSTS), bytes)),
            Behavior::Plain => Some(Server::plain(row.vault)),
            Behavior::UntrustedCa => Some(Server::tls(&Ca::default().leaf(&HOSTS), row.vault)),
            Behavior::WrongName => {
                Some(Server::tls(&ca.leaf(&["elsewhere.example.test"]), row.vault))
            }
            Behavior::Expired => Some(Server::tls(&ca.expired_leaf(&HOSTS), row.vault)),
        };
        Self { ca, identity, vault, refusing: Refusing::default() }
    }

    fn run(&self, row: &Row, more: &[&str]) -> Ended {
        let flags = row.network.iter().chain(row.flags).chain(more).map(|f| self.filled(f));
        Run::vaultlet(["get".to_owned(), self.filled(row.reference)])
            .arguments(flags)
            .environment(row.variables.iter().map(|(name, value)| (name, self.filled(value))))
            .end()
    }

    fn filled(&self, text: &str) -> String {
        let port =
            |server: &Option<Server>| server.as_ref().map_or(self.refusing.port, Server::port);
        text.replace("{identity}", &port(&self.identity).to_string())
            .replace("{vault}", &port(&self.vault).to_string())
            .replace("{refused}", &self.refusing.port.to_string())
            .replace("{ca}", &self.ca.file().to_string_lossy())
            .replace("{folder}", &self.ca.folder().to_string_lossy())
    }

    fn requests(&self, server: &Option<Server>) -> usize {
        server.as_ref().map_or(0, |server| server.requests().len())
    }
}
