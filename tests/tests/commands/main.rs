//! Both command lines, the native program and the component on the unmodified `wasmtime`: with the same
//! arguments and environment they print the same to the byte, on stdout and on stderr. Exit codes differ,
//! as WASI 0.2 has 0 and 1 only; both are 0, or neither is.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod lists;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use lists::{GUID, List, list};
use tempfile::NamedTempFile;
use time::OffsetDateTime;
use vaultlet_core::settings::{Reader, SETTINGS};
use vaultlet_dev::{Local, Seed};
use vaultlet_tests::server::{Answer, Server};
use vaultlet_tests::stock::{Job, Wasi, component};
use vaultlet_tests::{Ended, Run};

const VALUE: &str = "correct horse 'battery' staple é\n\"x\"\\ \u{8}\u{c}\u{1f}\u{7f}\u{85}";
/// Fewer lists of arguments than this would mean that the suite has lost some.
const LEAST: usize = 250;

/// What both programs run in.
struct Setup {
    job: Job,
    variables: BTreeMap<String, String>,
    token: String,
    /// Gives `token`, and refuses some requests.
    _server: Server,
    origin: String,
    /// The component as machine code, which `wasmtime` would otherwise make for each list.
    compiled: NamedTempFile,
}

impl Setup {
    fn new() -> Self {
        let local = Local::builder()
            .seed("db", VALUE)
            .seed("denied", VALUE)
            .seed("empty", "")
            .seed("path", "/tmp")
            .seed("nul", r#"{"a":"b\u0000c"}"#)
            .seed("1pass", VALUE)
            .seed("a-2-B", VALUE)
            .seed("bundle", r#"{"user":"u","a/b":{"c~d":"deep"},"n":12,"é":"non-ASCII"}"#)
            .seed("many", "one")
            .seed("many", "two")
            .seed("off", Seed::from(VALUE).with_enabled(false))
            .seed(
                "full",
                Seed::from(VALUE)
                    .with_expires(32_503_680_000)
                    .with_content_type("text/plain; \"é\"\t")
                    .with_tag("team", "search")
                    .with_tag("a", "\u{7f}'\"\\"),
            )
            .grant("managed:none:denied".parse().unwrap())
            .start()
            .unwrap();
        let job = Job { wasi: Wasi::P2, local };
        let claims = format!(
            r#"{{"tid":"{GUID}","oid":"{GUID}","appid":"{GUID}","aud":"https://vault.azure.net","idtyp":"app","upn":"user@contoso.com"}}"#
        );
        let claims = Base64UrlUnpadded::encode_string(claims.as_bytes());
        let token = format!("eyJhbGci.{claims}.c2ln");
        // Less than two hours, so that the time of renewal does not depend on the time of the request.
        let expires_on = OffsetDateTime::now_utc().unix_timestamp() + 5_400;
        let answer = format!(r#"{{"access_token":"{token}","expires_on":"{expires_on}"}}"#);
        let server = Server::plain(move |request| match request.target.split('?').next() {
            Some("/token") => Answer::json(200, answer.clone()),
            Some("/refuses") => Answer::json(400, r#"{"error":"invalid_request"}"#),
            Some("/nonsense") => Answer::status(200).text("<html>"),
            _ if request.header("authorization").is_empty() => {
                let origin = format!("http://{}", request.header("host"));
                let challenge = format!(
                    r#"Bearer authorization="https://login.microsoftonline.com/common", resource="{origin}""#
                );
                Answer::status(401).header("www-authenticate", challenge)
            }
            Some("/secrets/busy") => Answer::status(429).header("retry-after", "3600"),
            Some("/secrets/moved") => {
                Answer::status(302).header("location", "https://example.test/")
            }
            _ => Answer::status(200).text("no vault"),
        });
        let origin = format!("http://127.0.0.1:{}", server.port());
        let variables = job.variables().into_iter().collect();
        Self { job, variables, token, _server: server, origin, compiled: compiled() }
    }

    fn vault(&self) -> &str {
        self.job.local.vault("job").unwrap().http()
    }

    /// The lists of arguments that are compared.
    fn lists(&self) -> Vec<List> {
        let mut lists = lists::get();
        lists.extend(lists::list_and_versions());
        lists.extend(self.tokens());
        lists.extend(self.failures());
        lists.extend(lists::settings());
        lists.extend(lists::usage());
        for one in &mut lists {
            for argument in &mut one.arguments {
                *argument = argument.replace("{}", self.vault());
            }
        }
        lists
    }

    /// Tokens of an endpoint that gives the same one each time.
    fn tokens(&self) -> Vec<List> {
        let mut lists = vec![
            list(&["token", "--reveal"]).reveals(),
            list(&["token", "--reveal", "-o", "json"]).reveals(),
            list(&["token", "--reveal", "-ojson", "--resource", "https://storage.azure.com"])
                .reveals(),
            list(&["token", "--scope=https://vault.azure.net/.default", "--reveal"]).reveals(),
            list(&["token", "--reveal", "-o", "json", "--client-id", GUID]).reveals(),
            list(&["token", "--reveal", "--tenant", GUID, "--claims", "{\"a\":{}}"]).reveals(),
            list(&["token", "--reveal", "--claims", "no JSON"]),
            list(&["token", "--reveal", "--tenant", "no tenant"]),
            list(&["token", "--reveal", "--resource", ""]),
            list(&["token", "--reveal", "--resource", "é"]),
            list(&["whoami"]),
            list(&["whoami", "-o", "json"]),
            list(&["whoami", "--output=table", "--tenant", GUID]),
            list(&["whoami", "-o=json", "--resource", "https://vault.azure.net"]),
            list(&["whoami"]).with("VAULTLET_OUTPUT", "json"),
            list(&["token", "--reveal"])
                .with("VAULTLET_SCOPE", "https://vault.azure.net/.default")
                .reveals(),
        ];
        for list in &mut lists {
            self.endpoint(list, "/token");
        }
        lists
    }

    /// What an identity endpoint or another vault refuses.
    fn failures(&self) -> Vec<List> {
        let mut lists = Vec::new();
        for path in ["/refuses", "/nonsense"] {
            for words in [&["whoami"][..], &["get", "-ojson", "{}/secrets/db"]] {
                let mut list = list(words);
                self.endpoint(&mut list, path);
                lists.push(list);
            }
        }
        for path in ["busy", "moved", "nothing"] {
            let reference = format!("{}/secrets/{path}", self.origin);
            for words in [&["get", &reference][..], &["get", "-o", "json", &reference]] {
                let mut list = list(words);
                self.endpoint(&mut list, "/token");
                lists.push(list);
            }
        }
        lists
    }

    fn endpoint(&self, list: &mut List, path: &str) {
        list.variables.insert("MSI_ENDPOINT".into(), format!("{}{path}", self.origin));
    }

    /// Both programs.
    fn run(&self, list: &List) -> (Ended, Ended) {
        let mut variables = self.variables.clone();
        variables.extend(list.variables.clone());
        let native = Run::vaultlet(&list.arguments).environment(&variables).end();
        let names = variables.keys().flat_map(|name| ["--env", name]);
        let component = Run::program("wasmtime")
            .arguments([
                "run",
                "-S",
                "http,p3=n",
                "-W",
                "concurrency-support=n",
                "--allow-precompiled",
            ])
            .arguments(names)
            .arguments([self.compiled.path()])
            .arguments(&list.arguments)
            .environment(&variables)
            .end();
        (native, component)
    }

    /// What is different, if anything is.
    fn difference(&self, list: &List) -> Option<String> {
        let (native, component) = self.run(list);
        let codes = [0, 64, 65, 66, 69, 73, 75, 77, 78, 79];
        let is_same = native.stdout == component.stdout
            && without_request_id(&native.stderr) == without_request_id(&component.stderr);
        let is_code = codes.contains(&native.code) && component.code == i32::from(native.code != 0);
        // The line that ends a shell, when `get -o env` fails.
        let ends_shell = native.stdout == format!("(exit {})\n", native.code);
        let is_silent = (native.code == 0) == native.stderr.is_empty()
            && (native.code == 0 || native.stdout.is_empty() || ends_shell);
        let secrets = [VALUE, &self.token, self.job.msi_secret()];
        for ended in [&native, &component] {
            ended.reveals_none_of(&secrets, !list.reveals);
        }
        if is_same && is_code && is_silent {
            return None;
        }
        let List { arguments, variables, .. } = list;
        Some(format!(
            "{arguments:?} {variables:?}\n  native    {native:?}\n  component {component:?}"
        ))
    }
}

/// Compiles the component with the settings that the `wasmtime` program has by default, which refuses
/// code made with others.
fn compiled() -> NamedTempFile {
    let component = std::fs::read(component()).unwrap();
    let code = wasmtime::Engine::default().precompile_component(&component).unwrap();
    let file = NamedTempFile::new().unwrap();
    std::fs::write(&file, code).unwrap();
    file
}

/// An error as JSON but for the id that the vault gives to each request.
fn without_request_id(text: &str) -> String {
    const MEMBER: &str = r#""requestId":""#;
    match text.split_once(MEMBER) {
        Some((before, after)) => {
            let (id, after) = after.split_once('"').unwrap();
            assert!(!id.is_empty(), "{text}");
            format!("{before}{MEMBER}{after}")
        }
        None => text.to_owned(),
    }
}

#[test]
fn both_command_lines_print_the_same() {
    if Job::new().is_none() {
        return;
    }
    let setup = Setup::new();
    let lists = setup.lists();
    let next = AtomicUsize::new(0);
    let differences = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(list) = lists.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(difference) = setup.difference(list) {
                        differences.lock().unwrap().push(difference);
                    }
                }
            });
        }
    });
    let differences = differences.into_inner().unwrap();
    println!("{} lists of arguments are compared", lists.len());
    assert!(lists.len() >= LEAST, "{}", lists.len());
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

/// The flags that the native program has and the component by itself refuses, and no others.
#[test]
fn flags_of_the_native_program_alone_are_refused_by_the_component() {
    let Some(job) = Job::new() else { return };
    let refused = |flag: &str| {
        let ended = job.run(&["list", "my_vault", &format!("{flag}=x")]);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
        ended.stderr.contains("only the native program has")
    };
    let of_host = SETTINGS.iter().filter(|setting| setting.reader == Reader::Host);
    let of_host: Vec<_> = of_host.map(|setting| setting.flag).collect();
    assert_eq!(of_host, ["--ca-file", "--resolve"]);
    for setting in SETTINGS {
        assert_eq!(refused(setting.flag), setting.reader == Reader::Host, "{}", setting.flag);
    }
    assert!(refused("--log"));
    for arguments in [&["--log", "info", "whoami"][..], &["whoami", "--log", "info"]] {
        let ended = job.run(arguments);
        let said = "vaultlet: reading the arguments: only the native program has `--log`; ";
        assert!(ended.stderr.starts_with(said), "{ended:?}");
    }
}

/// Help differs by nature: both programs have it, and the version, in the same places.
#[test]
fn both_command_lines_help() {
    let Some(job) = Job::new() else { return };
    for arguments in
        [&[][..], &["--help"], &["-h"], &["get", "--help"], &["whoami", "-h"], &["help"]]
    {
        for ended in [job.run(arguments), Run::vaultlet(arguments).end()] {
            assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{arguments:?} {ended:?}");
            assert!(ended.stdout.to_lowercase().contains("usage:"), "{arguments:?} {ended:?}");
        }
    }
    for arguments in [["--version"], ["-V"]] {
        let (component, native) = (job.run(&arguments), Run::vaultlet(arguments).end());
        assert_eq!((component.code, component.stdout), (native.code, native.stdout));
    }
}
