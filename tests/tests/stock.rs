//! The components for WASI 0.2 and 0.3 on the unmodified `wasmtime` command line, and the imports that they
//! need from any runtime.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener};
use std::sync::Arc;
use std::thread;

use rustix::net::{AddressFamily, SocketType};
use vaultlet_tests::guests::plugged;
use vaultlet_tests::stock::{Job, QUICKLY, Served, VALUE, component, component_p3};
use vaultlet_tests::{Run, root, target, vaultlet};
use wasmparser::{Parser, Payload};

#[test]
fn the_command_prints_a_secret() {
    for job in Job::each() {
        let ended = job.run(&["get", &job.reference("db")]);
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str(), ended.code), (VALUE, "", 0));
        let counters = job.local.counters();
        assert_eq!((counters.tokens_issued, counters.challenges), (1, 1), "{counters:?}");
        assert_eq!(counters.operation("get", 200), 1, "{counters:?}");

        let ended = job.run(&["get", &job.reference("db"), "-o", "json"]);
        let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!((&json["value"], &json["name"]), (&VALUE.into(), &"db".into()));
        let both =
            job.run(&["get", &job.reference("db"), &job.reference("hub-token"), "-o", "env"]);
        assert_eq!(both.stdout, format!("export DB='{VALUE}'\nexport HUB_TOKEN='it'\\''s'\n"));
    }
}

#[test]
fn the_command_lists_secrets_and_versions() {
    for job in Job::each() {
        let vault = job.local.vault("job").unwrap().http().to_owned();
        let ended = job.run(&["list", &vault, "-o", "value"]);
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("db\ndenied\nhub-token\n", ""));
        let ended = job.run(&["versions", "db", "--vault", &vault, "-o", "json"]);
        let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        let reference = json[0]["reference"].as_str().unwrap();
        assert!(reference.starts_with(&format!("{vault}/secrets/db/")), "{reference}");
        assert_eq!(job.run(&["get", reference]).stdout, VALUE);
        ended.reveals_none_of(&[VALUE, job.msi_secret()], true);
    }
}

#[test]
fn an_exported_function_returns_a_secret() {
    for job in Job::each() {
        let call = format!("get-secret(\"{}\")", job.reference("db"));
        let ended = job.wasmtime(&["--invoke", &call], &job.wasi.component(), &[]);
        assert_eq!(
            (ended.stdout.trim_end(), ended.code),
            (&*format!("ok({VALUE:?})"), 0),
            "{ended:?}"
        );
        let call = format!("get-secret(\"{}\")", job.reference("missing"));
        let ended = job.wasmtime(&["--invoke", &call], &job.wasi.component(), &[]);
        assert!(ended.stdout.contains("id: \"secret-not-found\""), "{ended:?}");
        ended.reveals_none_of(&[VALUE, job.msi_secret()], true);
    }
}

#[test]
fn the_command_prints_a_token_only_with_reveal() {
    for job in Job::each() {
        let ended = job.run(&["token", "--reveal"]);
        assert_eq!((ended.code, ended.stdout.split('.').count()), (0, 3), "{}", ended.stderr);
        assert!(ended.stdout.starts_with("eyJ"));
        let ended = job.run(&["token"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (job.wasi.exit(64), ""));
        assert!(
            ended.stderr.contains("`--reveal`") && ended.stderr.ends_with("(usage)\n"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn an_error_is_one_line_and_an_exit_code() {
    for job in Job::each() {
        for (arguments, id, code) in [
            (vec!["get".to_owned(), job.reference("missing")], "secret-not-found", 66),
            (vec!["get".into(), job.reference("no_name")], "reference-malformed", 65),
            (vec!["get".into(), "http://example.test/secrets/x".into()], "reference-malformed", 65),
            (vec!["nonsense".into()], "usage", 64),
        ] {
            let ended = job.run(&arguments);
            let expected = (job.wasi.exit(code), "");
            assert_eq!((ended.code, ended.stdout.as_str()), expected, "{arguments:?}");
            let line = ended.stderr.strip_suffix('\n').unwrap();
            assert!(line.starts_with("vaultlet: ") && line.ends_with(&format!("({id})")), "{line}");
            assert!(!line.contains('\n'), "{line}");
            ended.reveals_none_of(&[VALUE, job.msi_secret()], true);
        }
    }
}

/// The output is the same to the byte.
#[test]
fn the_component_prints_what_vaultlet_prints() {
    for job in Job::each() {
        for reference in [job.reference("db"), job.reference("missing"), "akv://x".into()] {
            let theirs = job.run(&["get", &reference]);
            let ours = Run::vaultlet(["get", &reference])
                .environment(job.variables().iter().cloned())
                .end();
            assert_eq!(
                (&theirs.stdout, &theirs.stderr, theirs.code),
                (&ours.stdout, &ours.stderr, job.wasi.exit(ours.code)),
                "{reference}"
            );
        }
        let vault = job.local.vault("job").unwrap().http().to_owned();
        for arguments in [
            vec!["list".to_owned(), vault.clone()],
            vec!["list".to_owned(), vault.clone(), "-ojson".into()],
            vec!["list".into(), format!("{vault}/x")],
            vec!["versions".into(), job.reference("db")],
            vec!["versions".into(), job.reference("db"), "--output=json".into()],
            vec![
                "versions".into(),
                "db".into(),
                "--vault".into(),
                vault,
                "-o".into(),
                "value".into(),
            ],
            vec!["versions".into(), job.reference("missing")],
            vec!["versions".into(), job.reference("missing"), "-ojson".into()],
        ] {
            let theirs = job.run(&arguments);
            let ours = Run::vaultlet(&arguments).environment(job.variables().iter().cloned()).end();
            assert_eq!(
                (&theirs.stdout, &theirs.stderr, theirs.code),
                (&ours.stdout, &ours.stderr, job.wasi.exit(ours.code)),
                "{arguments:?}"
            );
        }
    }
}

/// Servers that fail, and files: the core learns the same from both versions of WASI.
#[test]
fn both_versions_of_wasi_report_the_same_failures() {
    // Bound, so that nobody else gets the port, and not listening.
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
    let closed = SocketAddr::try_from(rustix::net::getsockname(&socket).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (token, long) = (file("token", "an.assertion.x"), file("long", &"x".repeat(1 << 20)));
    let missing = folder.path().join("missing").to_str().unwrap().to_owned();
    let authority = format!("https://{closed}");
    let servers = [
        format!("http://{closed}"),
        server("nonsense\r\n\r\n"),
        server("HTTP/1.1 401 \r\ncontent-length: 10\r\n\r\nx"),
        server(&format!(
            "HTTP/1.1 401 \r\ncontent-length: 9999999\r\n\r\n{}",
            "x".repeat(9_999_999)
        )),
        server(""),
    ];
    let outputs: Vec<Vec<_>> = Job::each()
        .iter()
        .map(|job| {
            let get = |more: &[(&str, &str)], flags: &[&str], reference: &str| {
                let arguments = ["get", reference, "--timeout", "2"];
                let flags = [flags, &QUICKLY].concat();
                let ended = job.wasmtime_with(more, &flags, &job.wasi.component(), &arguments);
                assert_eq!(ended.stdout, "");
                ended.stderr
            };
            let tls = format!("https://127.0.0.1:{}", job.port());
            let servers = servers.iter().chain([&tls]).map(|server| {
                get(&[], &[], &format!("{server}/secrets/db")).replace(job.port(), "PORT")
            });
            let files = [(&token, true), (&token, false), (&missing, true), (&long, true)];
            let files = files.iter().map(|(path, granted)| {
                let variables = [
                    ("VAULTLET_IDENTITY", "workload-identity"),
                    ("AZURE_FEDERATED_TOKEN_FILE", path),
                    ("AZURE_CLIENT_ID", "11111111-1111-1111-1111-111111111111"),
                    ("AZURE_TENANT_ID", "22222222-2222-2222-2222-222222222222"),
                    ("VAULTLET_ADDITIONAL_TENANTS", "*"),
                    ("AZURE_AUTHORITY_HOST", &authority),
                ];
                let flags = ["--dir", folder.path().to_str().unwrap()];
                let flags = if *granted { &flags[..] } else { &[] };
                get(&variables, flags, &job.reference("db")).replace(job.port(), "PORT")
            });
            servers.chain(files).collect()
        })
        .collect();
    let ids = |outputs: &Vec<String>| -> Vec<String> {
        let id =
            |line: &String| line.trim_end_matches(")\n").rsplit_once('(').unwrap().1.to_owned();
        outputs.iter().map(id).collect()
    };
    let expected = [
        "vault-unreachable",
        "vault-unreachable",
        "vault-unreachable",
        "vault-unexpected",
        "timeout",
        "vault-unreachable",
        "authority-unreachable",
        "credential-file",
        "no-identity",
        "credential-file",
    ];
    assert!(outputs.iter().all(|outputs| ids(outputs) == expected), "{outputs:#?}");
    assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]), "{outputs:#?}");
}

/// A server that answers each connection so, and then waits until the client has gone; its address.
fn server(answer: &str) -> String {
    let answer: Arc<[u8]> = answer.as_bytes().into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(&answer);
                if !answer.is_empty() {
                    let _ = stream.shutdown(Shutdown::Write);
                }
                while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
            });
        }
    });
    format!("http://{address}")
}

#[test]
fn a_plugin_composed_with_the_component_runs() {
    let Some(job) = Job::new() else { return };
    // The build of the host puts the component where the composer takes it.
    vaultlet();
    let composed = plugged("plugin");
    let call = format!("describe(\"{}\")", job.reference("db"));
    let ended = job.wasmtime(&["--invoke", &call], &composed, &[]);
    let result = format!("ok(\"db of 127.0.0.1:{} has {} bytes\")", job.port(), VALUE.len());
    assert_eq!((ended.stdout.trim_end(), ended.code), (result.as_str(), 0), "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE, job.msi_secret()], true);
    let call = format!("describe(\"{}\")", job.reference("missing"));
    let ended = job.wasmtime(&["--invoke", &call], &composed, &[]);
    assert!(ended.stdout.contains("(secret-not-found)"), "{ended:?}");
}

/// `wasmtime serve` gives the job's variables to the component, which serves no token unless the host
/// sets a secret and the request shows it.
#[test]
fn a_served_component_requires_the_endpoint_secret() {
    const PATH: &str = "/token?resource=https%3A%2F%2Fvault.azure.net";
    const SECRET: &str = "endpoint-secret-of-stock";
    for job in Job::each() {
        {
            let served = Served::start(&job, &[]);
            for header in ["", "vaultlet-endpoint-secret: \r\n", "vaultlet-endpoint-secret: x\r\n"]
            {
                for path in [PATH, "/", "/metadata/identity/oauth2/token"] {
                    let (status, _, body) = served.get(path, header);
                    assert_eq!(status, 403, "{path} {header}");
                    assert!(
                        body.contains("(not-served)") || body.contains("\"not-served\""),
                        "{body}"
                    );
                }
            }
        }
        assert_eq!(
            job.local.counters().identity_requests(),
            0,
            "it requested a token nevertheless"
        );
        let served = Served::start(&job, &[("VAULTLET_ENDPOINT_SECRET", SECRET)]);
        let right = format!("vaultlet-endpoint-secret: {SECRET}\r\n");
        for header in [
            "",
            "vaultlet-endpoint-secret: \r\n",
            "vaultlet-endpoint-secret: endpoint-secret-of-stoc\r\n",
            "vaultlet-endpoint-secret: endpoint-secret-of-stock2\r\n",
            "authorization: Bearer endpoint-secret-of-stock\r\n",
            &right.repeat(2),
        ] {
            let (status, _, body) = served.get(PATH, header);
            assert_eq!((status, body.as_str()), (401, ""), "{header}");
        }
        assert_eq!(
            job.local.counters().identity_requests(),
            0,
            "it requested a token nevertheless"
        );
        let (status, headers, body) = served.get(PATH, &right);
        assert_eq!(status, 200, "{body}");
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert!(json["access_token"].as_str().is_some_and(|token| token.starts_with("eyJ")));
        assert_eq!(json["resource"], "https://vault.azure.net");
        let control =
            headers.lines().find_map(|line| line.strip_prefix("cache-control: ")).unwrap();
        // The token is valid for a day: fresh for half of it, and usable until five minutes before its end.
        for (name, low, high) in [
            ("max-age=", 43_000, 43_200),
            ("stale-while-revalidate=", 42_600, 43_200),
            ("stale-if-error=", 42_900, 43_300),
        ] {
            let part = control.split(',').find_map(|part| part.trim().strip_prefix(name));
            let seconds: u32 = part.unwrap_or_else(|| panic!("{name}: {control}")).parse().unwrap();
            assert!((low..=high).contains(&seconds), "{control}");
        }
        assert_eq!(served.get("/nothing", &right).0, 404);
        assert_eq!(served.get("/token?resource=x&nonsense=1", &right).0, 400);
    }
}

/// The imports are the capabilities that a runtime must grant. A change to the golden files needs a
/// reason.
#[test]
fn the_imports_of_the_components_are_the_golden_lists() {
    vaultlet();
    component_p3();
    for (component, golden) in [
        ("vaultlet.wasm", "imports.txt"),
        ("vaultlet-p3.wasm", "p3-imports.txt"),
        ("embedded.wasm", "embedded-imports.txt"),
    ] {
        let golden = root().join("tests/golden").join(golden);
        let expected = fs::read_to_string(&golden).unwrap();
        assert_eq!(imports(component), expected.lines().collect::<Vec<_>>(), "{golden:?}");
    }
}

fn imports(component: &str) -> Vec<String> {
    let bytes = fs::read(target().join(component)).unwrap();
    let mut imports = Vec::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                imports
                    .extend(section.into_iter().map(|import| import.unwrap().name.name.to_owned()));
            }
            _ => {}
        }
    }
    imports.sort();
    imports
}

#[test]
fn the_component_is_small() {
    vaultlet();
    let size = fs::metadata(component()).unwrap().len();
    println!("the component has {size} bytes");
    assert!(size <= 376 * 1024, "{size}");
}
