//! `vaultlet dev` and `vaultlet demo`: exit codes, the child's environment, and cleanup.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use vaultlet_tests::{Run, vaultlet};

const VALUE: &str = "correct horse battery staple";

#[test]
fn dev_exits_as_its_command_does() {
    for (command, code) in [
        (&["sh", "-c", "exit 0"][..], 0),
        (&["sh", "-c", "exit 7"], 7),
        (&["sh", "-c", "kill -9 $$"], 137),
        (&["no-such-program"], 127),
        (&["/"], 126),
    ] {
        let ended = Run::vaultlet(["dev", "--"]).arguments(command).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{}", ended.stderr);
    }
}

#[test]
fn errors_name_the_setting_and_not_its_value() {
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], i32, &'a str);
    let cases: &[Case<'_>] = &[
        (&["--vault", "a_b"], &[], 64, "(dev-vault-name)"),
        (&[], &[("VAULTLET_DEV_VAULT", "a_b")], 78, "(dev-vault-name)"),
        (&["--seed", VALUE], &[], 64, "(dev-seed)"),
        (&[], &[("VAULTLET_DEV_SEED", VALUE)], 78, "(dev-seed)"),
        (&["--seed=a_b=c"], &[], 64, "(dev-secret-name)"),
        (&["--grant", "user:owner"], &[], 64, "secrets-officer, secrets-user, reader, none"),
        (&["--as", "root"], &[], 64, "managed, user"),
        (&["--as", "application"], &[], 64, "managed, user"),
        (&["--identity-form", "arc"], &[], 64, "azure-ml, app-service, imds, azure-arc"),
        (&["--seed-file", "/no/such/file"], &[], 65, "(seed-file)"),
    ];
    for (flags, variables, code, part) in cases {
        let ended = Run::vaultlet(["dev"])
            .arguments(*flags)
            .arguments(["--", "true"])
            .environment(variables.iter().copied())
            .end();
        assert_eq!(ended.code, *code, "{flags:?} {variables:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(part) && ended.stderr.lines().count() == 1, "{ended:?}");
        ended.reveals_none_of(&[VALUE], true);
    }
}

#[test]
fn a_child_gets_only_the_local_identity() {
    let ended = Run::vaultlet(["dev", "--identity-form", "imds", "--", "env"])
        .environment([
            ("AZURESUBSCRIPTION_CLIENT_ID", "outside"),
            ("AZURE_CLIENT_ID", "outside"),
            ("AZURE_REGIONAL_AUTHORITY_NAME", "outside"),
            ("AZURE_TOKEN_CREDENTIALS", "outside"),
            ("IDENTITY_ENDPOINT", "http://outside"),
            ("MSI_ENDPOINT", "http://outside"),
            ("OBO_ENDPOINT", "http://outside"),
            ("SYSTEM_ACCESSTOKEN", "outside"),
            ("VAULTLET_ARC_KEY_FOLDER", "outside"),
            ("VAULTLET_IDENTITY", "outside"),
            ("JAVA_TOOL_OPTIONS", "-Dkept=as.it.was"),
            ("KEPT", "as it was"),
        ])
        .end();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(!ended.stdout.contains("outside"), "{}", ended.stdout);
    for part in [
        "KEPT=as it was\n",
        "JAVA_TOOL_OPTIONS=-Dkept=as.it.was -Djavax.net.ssl.trustStore=/",
        "AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:",
    ] {
        assert!(ended.stdout.contains(part), "{}", ended.stdout);
    }
}

#[test]
fn files_of_an_identity_form_are_private_and_deleted_at_the_end() {
    let script = "stat -c %a \"$AZURE_CLIENT_CERTIFICATE_PATH\"; \
                  echo \"$AZURE_CLIENT_CERTIFICATE_PATH\"; grep -c KEY \"$AZURE_CLIENT_CERTIFICATE_PATH\"";
    let form = ["dev", "--identity-form", "client-certificate", "--", "sh", "-c", script];
    let ended = Run::vaultlet(form).end();
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!((lines[0], lines[2]), ("600", "2"), "{}", ended.stderr);
    assert!(!Path::new(lines[1]).exists());
}

#[test]
fn seeds_are_read_from_flags_and_from_a_file() {
    let get = |name| format!("'{}' get akv://other/{name}", vaultlet().display());
    let script = format!(
        "printf 'lined=\"three\"' > \"$0\" && '{}' dev --vault job,other --seed-file \"$0\" \
         --seed flagged=one=two -- sh -c \"{} && {}\"; rm \"$0\"",
        vaultlet().display(),
        get("lined"),
        get("flagged"),
    );
    let file = std::env::temp_dir().join(format!("vaultlet-seeds-{}", std::process::id()));
    let ended = Run::program("sh").arguments(["-c", &script]).arguments([file]).end();
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("threeone=two", ""));
}

#[test]
fn dev_serves_until_it_is_interrupted_and_leaves_no_files() {
    for (signal, code) in [
        ("INT", 130),
        ("TERM", 143),
        ("HUP", 129),
        ("QUIT", 131),
        ("USR1", 138),
        ("USR2", 140),
        ("ALRM", 142),
    ] {
        let mut dev = started(&["dev", "-o", "json", "--as", "user", "--seed", "a=b"]);
        let mut line = String::new();
        BufReader::new(dev.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let output = JsonLine(&line);
        let ca = Path::new(output.text("caFile"));
        assert!(ca.exists() && line.contains("OBO_ENDPOINT"), "{line}");
        assert!(output.text("authority").starts_with("https://localhost:"), "{line}");
        assert!(output.text("authorityHttp").starts_with("http://127.0.0.1:"), "{line}");
        assert!(line.starts_with("{\"") && line.ends_with("}\n"), "{line}");

        interrupt(&dev, signal);
        let ended = vaultlet_tests::Ended::from(dev.wait_with_output().unwrap());
        assert_eq!(ended.code, code, "{}", ended.stderr);
        assert!(!ca.parent().unwrap().exists());
        ended.reveals_none_of(&[output.text("MSI_SECRET")], true);
    }
}

/// What is killed cannot clean up: the next local Azure does, and leaves alone what still runs.
#[test]
fn a_later_start_removes_the_folders_of_killed_ones_alone() {
    let temp = tempfile::tempdir().unwrap();
    let ca_folder = || {
        let mut dev = Command::new(vaultlet());
        dev.args(["dev", "-o", "json", "--identity-form", "client-certificate"]).env_clear();
        dev.env("PATH", std::env::var_os("PATH").unwrap()).env("TMPDIR", temp.path());
        dev.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut dev = dev.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(dev.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let folder = Path::new(JsonLine(&line).text("caFile")).parent().unwrap().to_owned();
        (dev, folder)
    };
    let (mut killed, abandoned) = ca_folder();
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(abandoned.exists(), "a process that is killed cannot clean up");
    let foreign = temp.path().join("vaultlet-dev-notes");
    std::fs::create_dir(&foreign).unwrap();
    let (mut running, used) = ca_folder();
    assert!(!abandoned.exists() && used.exists() && foreign.exists());
    let (mut other, own) = ca_folder();
    assert!(used.exists() && own.exists());
    for (dev, folder) in [(&mut running, &used), (&mut other, &own)] {
        interrupt(dev, "QUIT");
        assert_eq!(dev.wait().unwrap().code(), Some(131));
        assert!(!folder.exists());
    }
}

#[test]
fn dev_prints_export_lines_for_a_shell() {
    let mut dev = started(&["dev"]);
    let mut out = BufReader::new(dev.stdout.as_mut().unwrap());
    let mut lines = String::new();
    while !lines.contains("VAULTLET_CA_FILE") {
        assert_ne!(out.read_line(&mut lines).unwrap(), 0, "{lines}");
    }
    assert!(lines.lines().all(|line| line.starts_with("export ")), "{lines}");
    let script = format!("{lines} '{}' get akv://job/a", vaultlet().display());
    let ended = Run::program("sh").arguments(["-c", &script]).end();
    assert_eq!((ended.code, ended.stdout.as_str()), (66, ""), "{}", ended.stderr);
    interrupt(&dev, "TERM");
    assert!(!dev.wait().unwrap().success());
}

/// A request that is refused gets its answer also when it has a body, over HTTP/2, too.
#[test]
fn a_refused_request_with_a_body_is_answered() {
    if Run::program("sh").arguments(["-c", "command -v curl"]).end().code != 0 {
        return vaultlet_tests::sandbox::skipped("refused bodies", "curl is not installed");
    }
    let ask = "set -e; body=$(head -c 200000 /dev/zero | tr '\\0' a); \
        token=$(\"$0\" token --reveal); url=https://job.vault.azure.net; \
        for n in 1 2 3 4 5; do for v in --http2 --http1.1; do \
        printf %s $body | curl -sS $v -o /dev/null -w '%{http_code} ' -X POST -H \"Authorization: Bearer $token\" --data-binary @- $url/secrets/restore?api-version=7.4; \
        printf %s $body | curl -sS $v -o /dev/null -w '%{http_code} ' -X PUT --data-binary @- $url/secrets/x?api-version=7.4; \
        printf %s $body | curl -sS $v -o /dev/null -w '%{http_code} ' -X POST -H 'X-Forwarded-For: a' --data-binary @- $url/x; done; done";
    let ended =
        Run::vaultlet(["dev", "--vault", "job", "--", "sh", "-c", ask]).arguments([vaultlet()]);
    let path = std::env::var("PATH").unwrap();
    let ended = ended.environment([("PATH", path)]).end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stderr.matches("curl: ").count(), 0, "{}", ended.stderr);
    assert_eq!(ended.stdout.matches("501 401 ").count(), 10, "{}", ended.stdout);
}

#[test]
fn an_interrupt_ends_the_command_and_then_the_local_azure() {
    let script = "printf '%s\\n' \"$VAULTLET_CA_FILE\"; exec sleep 1000";
    let mut dev = started(&["dev", "--", "sh", "-c", script]);
    let mut out = BufReader::new(dev.stdout.take().unwrap());
    let mut ca = String::new();
    out.read_line(&mut ca).unwrap();
    assert!(Path::new(ca.trim()).exists());
    interrupt(&dev, "TERM");
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!((dev.wait().unwrap().code(), rest.as_str()), (Some(143), ""));
    assert!(!Path::new(ca.trim()).parent().unwrap().exists());
}

#[test]
fn demo_shows_every_step() {
    let ended = Run::vaultlet(["demo"])
        .environment([("VAULTLET_IDENTITY", "none of the demo's business")])
        .end();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{}", ended.stdout);
    let values = ended.stdout.lines().filter(|line| line.trim().starts_with("demo-")).count();
    assert_eq!(values, 3, "{}", ended.stdout);
    for part in ["/MSI/auth", "/OBO/token", "[ForbiddenByRbac]", "exit 77", "vaultlet dev"] {
        assert!(ended.stdout.contains(part), "{part} is not in {}", ended.stdout);
    }
    ended.reveals_none_of(&["MSI_SECRET"], true);
}

fn started(arguments: &[&str]) -> Child {
    let mut command = Command::new(vaultlet());
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn interrupt(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
}

/// The line that `-o json` prints.
struct JsonLine<'a>(&'a str);

impl<'a> JsonLine<'a> {
    fn text(&self, name: &str) -> &'a str {
        let after = self.0.split(&format!("\"{name}\":\"")).nth(1).unwrap();
        after.split('"').next().unwrap()
    }
}
