//! Files of certificates, as they come about: each form that other programs read is read, and whatever cannot
//! be read whole is an error that names the file and the place.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use vaultlet_host::{Error, Vaultlet};
use vaultlet_tests::prober::Prober;
use vaultlet_tests::server::{Answer, Server};
use vaultlet_tests::tls::Ca;
use vaultlet_tests::{Run, vaultlet};

fn pem(ca: &Ca) -> String {
    fs::read_to_string(ca.file()).unwrap().replace("\r\n", "\n")
}

/// Both certificates of a bundle are trusted, in whatever form the file has.
#[test]
fn every_certificate_of_a_bundle_is_read() {
    let (one, other) = (Ca::default(), Ca::default());
    let servers = [&one, &other].map(|ca| {
        Server::tls(&ca.leaf(&["tokens.example.test"]), |_| {
            Answer::status(204).header("connection", "close")
        })
    });
    let (a, b) = (pem(&one), pem(&other));
    let both = format!("{a}{b}");
    let joined = format!("{}{b}", a.trim_end());
    assert!(joined.contains("-----END CERTIFICATE----------BEGIN CERTIFICATE-----"));
    let parameters =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let forms: Vec<(&str, Vec<u8>)> = vec![
        ("plain", both.clone().into()),
        ("joined without a newline", joined.clone().into()),
        ("a byte order mark", format!("\u{feff}{both}").into()),
        ("a byte order mark, joined", format!("\u{feff}{joined}").into()),
        ("line ends of Windows", both.replace('\n', "\r\n").into()),
        ("no final newline", both.trim_end().into()),
        ("indented", both.replace('\n', "\n    ").into()),
        ("on one line", both.replace('\n', " ").into()),
        ("without line ends", both.replace('\n', "").into()),
        (
            "text before and between",
            format!("# Issuer: x\n\n{a}Bag Attributes\n  y: z\n{b}# end\n").into(),
        ),
        ("Latin-1 between", [a.as_bytes(), b"# \xe9\xff\n", b.as_bytes()].concat()),
        ("another block first", format!("{parameters}{both}").into()),
        ("the older label", both.replace("CERTIFICATE", "X509 CERTIFICATE").into()),
        ("long lines", both.lines().collect::<Vec<_>>().join("").into()),
        ("white space at line ends", both.replace('\n', " \t\n").into()),
        ("one twice", format!("{both}{a}").into()),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bundle.pem");
    for (form, text) in forms {
        fs::write(&file, text).unwrap();
        for server in &servers {
            let rule = format!("tokens.example.test:443:127.0.0.1:{}", server.port());
            let plan = "authority tokens.example.test 443 tokens";
            let ask = |variables: &[(&str, &str)], builder| {
                Prober::open(plan, variables, builder).broker("https://tokens.example.test/")
            };
            let path = file.to_str().unwrap();
            let open = || Vaultlet::builder().resolve(&rule);
            for name in ["SSL_CERT_FILE", "VAULTLET_CA_FILE"] {
                assert_eq!(ask(&[(name, path)], open()), "answered 204", "{form}, {name}");
            }
            assert_eq!(ask(&[], open().ca_file(&file)), "answered 204", "{form}");
        }
    }
}

#[test]
fn a_bundle_that_cannot_be_read_whole_is_an_error_with_its_place() {
    let (one, other) = (Ca::default(), Ca::default());
    let (a, b) = (pem(&one), pem(&other));
    let lines = a.lines().count();
    let second = lines + 1;
    let at = |line: usize, what: &str| format!("line {line}: {what}");
    let base64 = |text: &str| {
        text.replace("-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n?")
    };
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    let path = one.file();
    let path = path.to_str().unwrap();
    let utf16 = [0xff, 0xfe].into_iter().chain(a.encode_utf16().flat_map(u16::to_le_bytes));
    let pkcs7 = openssl(&["crl2pkcs7", "-nocrl", "-certfile", path]);
    let trusted = openssl(&["x509", "-in", path, "-trustout", "-addtrust", "serverAuth"]);
    let inputs: Vec<(&str, Vec<u8>, String)> = vec![
        ("empty", vec![], "it is empty".into()),
        ("no certificate", b"hello\n".into(), "there is no certificate in it".into()),
        (
            "cut at its end",
            format!("{a}{}", &b[..b.len() - 30]).into(),
            at(second, "the section that begins here has no END line"),
        ),
        (
            "cut in an END line",
            format!("{a}{}", &b[..b.len() - 8]).into(),
            at(lines + b.lines().count(), "this END line does not belong"),
        ),
        (
            "cut in between",
            format!("{}\n{b}", &a[..a.len() / 2]).into(),
            at(1, "the section that begins here has no END line"),
        ),
        (
            "cut at its beginning",
            format!("{}{b}", &a[40..]).into(),
            at(lines - 1, "a BEGIN or an END line is not complete"),
        ),
        (
            "four hyphens",
            format!("{a}-{}", b.trim_start_matches("--")).into(),
            at(second, "a BEGIN or an END line is not complete"),
        ),
        (
            "a hyphen lost where two were joined",
            format!("{}{}", a.trim_end(), &b[1..]).into(),
            at(lines, "a BEGIN or an END line is not complete"),
        ),
        (
            "another END",
            format!("{a}{}", b.replace("END CERTIFICATE", "END X509 CRL")).into(),
            at(lines + b.lines().count(), "this END line does not belong"),
        ),
        (
            "not base64",
            format!("{a}{}", base64(&b)).into(),
            at(second, "the section that begins here is not base64"),
        ),
        (
            "nothing in a section",
            format!("{a}-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n").into(),
            at(second, "the section that begins here is empty"),
        ),
        (
            "not a certificate",
            format!("{a}-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n").into(),
            at(second, "the certificate that begins here is malformed"),
        ),
        ("PKCS#7", [a.as_bytes(), &pkcs7].concat(), at(second, "certificates in the form `PKCS7`")),
        (
            "OpenSSL's trusted form",
            [a.as_bytes(), &trusted].concat(),
            at(second, "certificates in the form `TRUSTED CERTIFICATE`"),
        ),
        ("DER", openssl(&["x509", "-in", path, "-outform", "DER"]), "it is DER".into()),
        ("UTF-16", utf16.collect(), "it is UTF-16".into()),
        ("too long", vec![b'\n'; (4 << 20) + 1], "it is too long".into()),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bundle.pem");
    for (form, text, says) in inputs {
        fs::write(&file, text).unwrap();
        refused(form, &file, &says);
    }
    refused("a folder", folder.path(), "it is a folder");
    refused("nothing", &folder.path().join("missing"), "there is no such file");
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let started = Instant::now();
    refused("a pipe", &pipe, "it is not a regular file");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

/// Checks the error of each setting that names such a file.
#[track_caller]
fn refused(form: &str, file: &Path, says: &str) {
    let open = |variables: &[(&str, &str)], files: &[PathBuf]| -> Error {
        let builder = files.iter().fold(Vaultlet::builder(), |builder, file| builder.ca_file(file));
        let opened = builder.variables(variables.iter().copied()).open();
        opened.map(drop).err().unwrap_or_else(|| panic!("{form}: no error"))
    };
    let path = file.to_str().unwrap();
    for (origin, error) in [
        ("SSL_CERT_FILE", open(&[("SSL_CERT_FILE", path)], &[])),
        ("VAULTLET_CA_FILE", open(&[("VAULTLET_CA_FILE", path)], &[])),
        ("--ca-file", open(&[], &[file.to_owned()])),
    ] {
        assert_eq!(error.id, "ca-file", "{form}: {error}");
        for part in [says, path, &format!("`{origin}`")] {
            assert!(error.message.contains(part), "{form}: {part:?} is not in {error}");
        }
        assert!(!error.to_string().contains('\n'), "{form}: {error}");
    }
}

/// Nobody writes to the pipe, and nothing ever comes from the device: a program that waited would never start.
#[test]
fn settings_that_name_a_file_refuse_every_other_kind_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    let _socket = UnixListener::bind(at("socket")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    let kinds = [
        (at("pipe"), "it is not a regular file"),
        (at("socket"), "it is not a regular file"),
        ("/dev/zero".into(), "it is not a regular file"),
        (at("folder"), "it is a folder"),
        (at("missing"), "there is no such file"),
    ];
    let agent = ["agent", "--socket", "agent.sock", "--http", "127.0.0.1:0", "--token-file"];
    let get = "get akv://job/s --identity environment";
    let get: Vec<_> = get.split(' ').collect();
    let client = [("AZURE_TENANT_ID", "t.example"), ("AZURE_CLIENT_ID", "c")];
    let federated = "get akv://job/s --identity workload-identity";
    let federated: Vec<_> = federated.split(' ').collect();
    let by_agent = [("VAULTLET_AGENT", "http://127.0.0.1:9")];
    for (kind, says) in kinds {
        let path = kind.to_str().unwrap();
        let with = |variables: &[(&'static str, &'static str)], name: &'static str| {
            let mut all: Vec<_> = variables.iter().map(|(a, b)| (*a, b.to_string())).collect();
            all.push((name, path.to_owned()));
            all
        };
        let flag = |words: &[&str], flag: &str| -> Vec<String> {
            words.iter().chain([&flag, &path]).map(|it| it.to_string()).collect()
        };
        let words = |words: &[&str]| words.iter().map(|it| it.to_string()).collect::<Vec<_>>();
        for (arguments, variables, id) in [
            (flag(&agent[..5], "--token-file"), vec![], "agent-token-file"),
            (flag(&agent[..3], "--policy"), vec![], "policy-file"),
            (flag(&get, "--policy"), vec![], "policy-file"),
            (flag(&get, "--ca-file"), vec![], "ca-file"),
            (words(&get), with(&client, "AZURE_CLIENT_CERTIFICATE_PATH"), "credential-file"),
            (words(&get), with(&by_agent, "VAULTLET_AGENT_TOKEN_FILE"), "credential-file"),
            (words(&federated), with(&client, "AZURE_FEDERATED_TOKEN_FILE"), "credential-file"),
        ] {
            let is_federated = variables.iter().any(|(name, _)| name.contains("FEDERATED"));
            if is_federated && path.ends_with("missing") {
                // The chain goes on without it.
                continue;
            }
            let begin = Instant::now();
            let run = Run::vaultlet(&arguments).environment(variables).in_folder(folder.path());
            let ended = run.end();
            let took = begin.elapsed();
            assert!(took < Duration::from_secs(10), "{arguments:?} {path}: {took:?}");
            assert_eq!(ended.code, 78, "{arguments:?} {path}: {}", ended.stderr);
            assert!(ended.stderr.contains(&format!("({id})")), "{arguments:?}: {}", ended.stderr);
            // The component is told no more than that a file cannot be read.
            let says = if is_federated { path } else { says };
            assert!(ended.stderr.contains(says), "{arguments:?} {path}: {}", ended.stderr);
        }
    }
}

/// What is read once may come from a pipe, as `<(command)` does.
#[test]
fn files_that_are_read_once_may_be_pipes_and_folders_and_sockets_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let _socket = UnixListener::bind(at("socket")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    let job = "type: command\ncommand: echo as-it-is\n";
    for (command, text, id) in [
        ("run --env-file F -- sh -c 'echo $A'", "A=as-it-is\n", "env-file"),
        ("export -f dotenv --env-file F", "A=as-it-is\n", "env-file"),
        ("inject --in-file F", "as-it-is\n", "in-file"),
        ("job run F", job, "job-file"),
        ("dev --seed-file F -- sh -c '\"$VAULTLET\" get akv://job/a'", "a=as-it-is\n", "seed-file"),
    ] {
        let shell = |file: &str| {
            let script = format!("exec \"$VAULTLET\" {}", command.replace('F', file));
            let run = Run::program("bash").arguments(["-c", &script]).in_folder(folder.path());
            let variables = [("VAULTLET", vaultlet().as_os_str()), ("TEXT", text.as_ref())];
            run.environment(variables).end()
        };
        let ended = shell("<(printf %s \"$TEXT\")");
        assert_eq!(ended.code, 0, "{command}: {}", ended.stderr);
        assert!(ended.stdout.contains("as-it-is"), "{command}: {}", ended.stdout);
        for (name, says) in [("folder", "it is a folder"), ("socket", "it is a socket")] {
            let ended = shell(name);
            assert_ne!(ended.code, 0, "{command} {name}");
            for part in [says, &format!("({id})")] {
                assert!(ended.stderr.contains(part), "{command} {name}: {}", ended.stderr);
            }
        }
    }
}
