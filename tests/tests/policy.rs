//! Policies and audits: what commands and libraries obey, what is recorded before a value is given out, and
//! `vaultlet policy`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use vaultlet_dev::Local;
use vaultlet_host::{Policy, Vaultlet};
use vaultlet_tests::sandbox::{in_namespace, skipped};
use vaultlet_tests::{Ended, Run, vaultlet};

const VALUE: &str = "s3ntinel-of-policies";
const MEMBER: &str = "s3ntinel-of-a-member";
const SECRETS: [&str; 2] = [VALUE, MEMBER];

fn local() -> Local {
    Local::builder()
        .vault("job")
        .vault("other")
        .seed("db-password", VALUE)
        .seed("train-key", VALUE)
        .seed("db", format!(r#"{{"user":"{MEMBER}"}}"#))
        .start()
        .unwrap()
}

/// A folder with a policy and the file of its audit.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// A policy of these lines, with an audit to a file beside it.
    fn new(rules: &str) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.write(&format!("{rules}\n[audit]\nfile = \"audit.jsonl\"\n"));
        place
    }

    fn write(&self, text: &str) {
        fs::write(self.policy(), text).unwrap();
        fs::set_permissions(self.policy(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn policy(&self) -> PathBuf {
        self.at("policy.toml")
    }

    fn flag(&self) -> [String; 2] {
        ["--policy".into(), self.policy().display().to_string()]
    }

    /// The lines of the audit.
    fn audit(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.at("audit.jsonl")).unwrap_or_default();
        assert!(text.is_empty() || text.ends_with('\n'), "{text}");
        for secret in SECRETS {
            assert!(!text.contains(secret), "a secret is in the audit");
        }
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The events of the audit, each with the secret's name, and the id of the error.
    fn events(&self) -> Vec<String> {
        let event = |line: &Value| {
            let name = line["reference"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            let id = line["id"].as_str().map(|id| format!(" {id}")).unwrap_or_default();
            format!("{} {name}{id}", line["event"].as_str().unwrap())
        };
        self.audit().iter().map(event).collect()
    }
}

fn rule(reference: &str, more: &str) -> String {
    format!("[[allow]]\nreference = \"{reference}\"\n{more}\n")
}

/// Runs the program in a local Azure, with a secret on its stdin where it reads that.
fn ended(local: &Local, arguments: &[&str], variables: &[(&str, &str)], stdin: &str) -> Ended {
    let mut command = Command::new(vaultlet());
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.envs(local.environment().iter().cloned()).envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let ended = Ended::from(child.wait_with_output().unwrap());
    ended.reveals_none_of(&SECRETS, false);
    ended
}

fn vaultlet_ended(local: &Local, arguments: &[&str]) -> Ended {
    ended(local, arguments, &[], "")
}

/// What each command that obeys a policy is given to read this reference.
fn commands(reference: &str) -> Vec<(Vec<String>, String)> {
    let variable = format!("X={reference}");
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    vec![
        (own(&["get", reference]), String::new()),
        (own(&["get", "-o", "json", reference]), String::new()),
        (own(&["get", "-o", "env", reference]), String::new()),
        (own(&["run", "-e", &variable, "--", "printenv", "X"]), String::new()),
        (own(&["run", "--no-masking", "-e", &variable, "--", "true"]), String::new()),
        (own(&["run", "--drop-identity", "-e", &variable, "--", "true"]), String::new()),
        (own(&["export", "-f", "json", "-e", &variable]), String::new()),
        (own(&["redact", "-e", &variable]), "text".into()),
        (own(&["inject"]), format!("{{{{ {reference} }}}}")),
    ]
}

#[test]
fn every_command_denies_what_is_not_allowed_before_anybody_is_asked() {
    let local = local();
    let place = Place::new(&rule("akv://job/train-*", ""));
    let policy = place.policy().display().to_string();
    for (words, stdin) in commands("akv://job/db-password") {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let with_flag = [&words[..1], &["--policy", &policy], &words[1..]].concat();
        for (arguments, variables) in [
            (&with_flag, &[][..]),
            (&words, &[("VAULTLET_POLICY", policy.as_str())]),
            // The flag wins.
            (&with_flag, &[("VAULTLET_POLICY", "/nowhere")]),
        ] {
            let ended = ended(&local, arguments, variables, &stdin);
            assert_eq!(ended.code, 77, "{arguments:?}: {ended:?}");
            for part in [
                "akv://job.vault.azure.net/db-password",
                &policy,
                "policy-denied",
                "have it allowed",
            ] {
                assert!(ended.stderr.contains(part), "{arguments:?}: {part}: {}", ended.stderr);
            }
            ended.reveals_none_of(&SECRETS, true);
        }
    }
    let counters = local.counters();
    assert_eq!(counters.operation("get", 200), 0, "the vault was asked");
    assert!(place.events().iter().all(|it| it == "denied db-password policy-denied"));
    assert_eq!(place.events().len(), 3 * commands("").len());
    // What is allowed is read by the same commands, and recorded once for each.
    for (words, stdin) in commands("akv://job/train-key") {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let ended = ended(&local, &words, &[("VAULTLET_POLICY", &policy)], &stdin);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{words:?}");
    }
    let events = place.events();
    let revealed = events.iter().filter(|it| *it == "reveal train-key").count();
    assert_eq!(revealed, commands("").len(), "{events:?}");
}

#[test]
fn without_a_policy_nothing_is_denied_and_an_empty_one_allows_nothing() {
    let local = local();
    let reference = "akv://job/db-password";
    for variables in [&[][..], &[("VAULTLET_POLICY", "")], &[("VAULTLET_POLICY", "  ")]] {
        assert_eq!(ended(&local, &["get", reference], variables, "").stdout, VALUE);
    }
    let place = Place::new("");
    for text in ["", "# nothing\n", "allow = []\n", "[audit]\nfile = \"stderr\"\n"] {
        place.write(text);
        let [flag, policy] = place.flag();
        let ended = vaultlet_ended(&local, &["get", reference, &flag, &policy]);
        assert_eq!((ended.code, ended.stdout.as_str()), (77, ""), "{text}: {}", ended.stderr);
    }
}

#[test]
fn all_or_nothing_holds_of_several_secrets() {
    let local = local();
    let place = Place::new(&rule("akv://job/train-*", ""));
    let [flag, policy] = place.flag();
    let (good, bad) = ("akv://job/train-key", "akv://job/db?json=/user");
    for references in [[good, bad], [bad, good]] {
        let arguments = [&["get", "-o", "json", &flag, &policy][..], &references].concat();
        let ended = vaultlet_ended(&local, &arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (77, ""), "{}", ended.stderr);
        // Neither the options nor a member are told.
        let error: Value = serde_json::from_str(ended.stderr.lines().last().unwrap()).unwrap();
        assert_eq!(
            (&error["error"]["id"], &error["error"]["kind"]),
            (&"policy-denied".into(), &"denied".into())
        );
        assert!(
            !ended.stderr.contains("json=") && !ended.stderr.contains("/user"),
            "{}",
            ended.stderr
        );
    }
    assert_eq!(local.counters().operation("get", 200), 0, "none is asked for when one is denied");
    // Each variable has its line.
    let variables =
        ["-e", "A=akv://job/db", "-e", "B=akv://job/train-gone", "-e", "C=akv://other/x"];
    let arguments = [&["run", &flag, &policy][..], &variables, &["--", "true"]].concat();
    let ended = vaultlet_ended(&local, &arguments);
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert_eq!((ended.code, lines.len()), (77, 3), "{}", ended.stderr);
    for (line, (name, id)) in lines.iter().zip([
        ("A", "policy-denied"),
        ("B", "secret-not-found"),
        ("C", "policy-denied"),
    ]) {
        assert!(line.starts_with(&format!("vaultlet: {name}: ")) && line.contains(id), "{line}");
    }
    let events = place.events();
    assert!(events.contains(&"failed train-gone secret-not-found".to_owned()), "{events:?}");
    // Nor do the commands that only look say more than they may.
    for arguments in [&["doctor", bad, "-o", "json"][..], &["job", "check", "job.yml"]] {
        let folder = tempfile::tempdir().unwrap();
        let job = "type: command\ncommand: x\nenvironment: azureml:x@latest\ncompute: azureml:c\n\
            environment_variables:\n  KEY: akv://job/db\n";
        fs::write(folder.path().join("job.yml"), job).unwrap();
        let mut command = Command::new(vaultlet());
        command.args(arguments).args(place.flag()).current_dir(&folder).env_clear();
        command.envs(local.environment().iter().cloned());
        let ended = Ended::from(command.output().unwrap());
        assert_eq!(ended.code, 77, "{arguments:?}: {ended:?}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("policy-denied"), "{arguments:?}: {said}");
    }
    // An optional one that is denied is no missing one.
    let variables = ["-e", "A=akv://job/db?optional", "-e", "B=akv://job/db?default=x"];
    let arguments = [&["run", &flag, &policy][..], &variables, &["--", "true"]].concat();
    assert_eq!(vaultlet_ended(&local, &arguments).code, 77);
}

#[test]
fn every_form_of_a_reference_and_every_member_is_the_same_secret() {
    let local = local();
    let host = "job.vault.azure.net";
    let version = {
        let ended = vaultlet_ended(&local, &["get", "-o", "json", "akv://job/db"]);
        serde_json::from_str::<Value>(&ended.stdout).unwrap()["version"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let forms = [
        "akv://job/db".to_owned(),
        "AKV://JOB/db".into(),
        format!("akv://{host}:443/db/{version}"),
        format!("https://{host}/secrets/db"),
        format!("@Microsoft.KeyVault(SecretUri=https://{host}/secrets/db/{version})"),
        "@Microsoft.KeyVault(VaultName=job;SecretName=db)".into(),
        "akv://job/db?json=/user".into(),
    ];
    let look_alikes =
        ["akv://job/DB", "akv://job/db-password", "akv://other/db", "akv://job/train-key"];
    for pattern in [&forms[0], &forms[3], &forms[5]] {
        let place = Place::new(&rule(pattern, ""));
        let [flag, policy] = place.flag();
        for form in &forms {
            let ended = vaultlet_ended(&local, &["get", form, &flag, &policy]);
            assert_eq!(ended.code, 0, "{pattern} and {form}: {}", ended.stderr);
        }
        for other in look_alikes {
            let ended = vaultlet_ended(&local, &["get", other, &flag, &policy]);
            assert_eq!(ended.code, 77, "{pattern} and {other}: {}", ended.stderr);
        }
        let lines = place.audit();
        assert!(lines[..forms.len()].iter().all(|line| line["version"] == version.as_str()));
        let canonical = format!("akv://{host}/db");
        assert!(lines[..forms.len()].iter().all(|line| line["reference"] == canonical.as_str()));
    }
    // The latest version only.
    let place = Place::new(&rule("akv://job/*", "versions = \"latest\""));
    let [flag, policy] = place.flag();
    for (form, code) in forms.iter().zip([0, 0, 77, 0, 77, 0, 0]) {
        let ended = vaultlet_ended(&local, &["get", form, &flag, &policy]);
        assert_eq!(ended.code, code, "{form}: {}", ended.stderr);
    }
    // A vault without TLS.
    let http = local.vault("job").unwrap().http();
    let place = Place::new(&rule(&format!("{http}/secrets/db"), ""));
    let [flag, policy] = place.flag();
    for (name, code) in [("db", 0), ("db-password", 77)] {
        let reference = format!("{http}/secrets/{name}");
        let arguments = ["get", &reference, "--allow-http-loopback", &flag, &policy];
        let ended = vaultlet_ended(&local, &arguments);
        assert_eq!(ended.code, code, "{}", ended.stderr);
    }
    assert_eq!(vaultlet_ended(&local, &["get", "akv://job/db", &flag, &policy]).code, 77);
}

/// The name of the user who runs the tests.
fn user() -> String {
    Run::program("id").arguments(["-un"]).end().stdout.trim().to_owned()
}

#[test]
fn the_user_and_the_program_that_ask_are_compared() {
    let local = local();
    let folder = tempfile::tempdir().unwrap();
    let tool = folder.path().join("tool");
    symlink("/usr/bin/env", &tool).unwrap();
    let tool = tool.display().to_string();
    let env = fs::canonicalize("/usr/bin/env").unwrap().display().to_string();
    let get = &["get", "akv://job/db"][..];
    let run = |words: &[&'static str]| [&["run", "-e", "X=akv://job/db", "--"][..], words].concat();
    let own = vaultlet().canonicalize().unwrap().display().to_string();
    let list = |key: &str, item: &str| format!("{key} = [\"/nowhere\", \"{item}\"]");
    for (more, arguments, code) in [
        (format!("user = [\"{}\"]", user()), get.to_vec(), 0),
        ("user = [\"no-such-user-here\"]".into(), get.to_vec(), 77),
        ("user = [\"4294967290\"]".into(), get.to_vec(), 77),
        (list("program", &own), get.to_vec(), 0),
        (list("program", "/usr/bin/env"), get.to_vec(), 77),
        (list("program", &env), run(&["env"]), 0),
        (list("program", &env), run(&["/usr/bin/env"]), 0),
        // A link in the policy leads to the program, too; and `*` does not go below a folder.
        (list("program", &tool), run(&["env"]), 0),
        (list("program", "/usr/*"), run(&["env"]), 77),
        (list("program", "/*/*/*"), run(&["env"]), i32::from(env.matches('/').count() != 3) * 77),
        (list("program", &env), run(&["sh", "-c", "true"]), 77),
        (list("program", &own), run(&["env"]), 77),
        (list("program", &env), run(&["no-such-program-here"]), 77),
    ] {
        let place = Place::new(&rule("akv://job/db", &more));
        let [flag, policy] = place.flag();
        let arguments = [&arguments[..1], &[&*flag, &*policy], &arguments[1..]].concat();
        let ended = vaultlet_ended(&local, &arguments);
        assert_eq!(ended.code, code, "{more} {arguments:?}: {}", ended.stderr);
        let lines = place.audit();
        assert_eq!(lines[0]["user"], user().as_str());
    }
    // The program that is found by the PATH that the command gets.
    let place = Place::new(&rule("akv://job/db", &list("program", &env)));
    let [flag, policy] = place.flag();
    fs::write(folder.path().join("env"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(folder.path().join("env"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("PATH={}", folder.path().display());
    let arguments = ["run", &flag, &policy, "-e", &path, "-e", "X=akv://job/db", "--", "env"];
    let ended = vaultlet_ended(&local, &arguments);
    assert_eq!(ended.code, 77, "{}", ended.stderr);
    let program = place.audit()[0]["program"].as_str().unwrap().to_owned();
    assert_eq!(Path::new(&program), folder.path().join("env").canonicalize().unwrap());
}

#[test]
fn an_audit_line_says_what_when_who_and_how() {
    let local = local();
    let place = Place::new(&rule("akv://job/*", ""));
    let [flag, policy] = place.flag();
    let before = now();
    let mut child = Command::new(vaultlet())
        .args(["get", "akv://job/db?json=/user", &flag, &policy])
        .envs(local.environment().iter().cloned())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let pid = child.id();
    assert!(child.wait().unwrap().success());
    let lines = place.audit();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    let time = line["time"].as_str().unwrap();
    let is_time = time.len() == 24 && time.ends_with('Z') && time.as_bytes()[19] == b'.';
    assert!(is_time && before.as_str() <= time && time <= now().as_str(), "{time}");
    let members: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["event", "pid", "program", "reference", "source", "time", "user", "version"];
    assert_eq!(members.iter().copied().collect::<std::collections::BTreeSet<_>>(), expected.into());
    assert_eq!(line["event"], "reveal");
    assert_eq!(line["reference"], "akv://job.vault.azure.net/db");
    assert_eq!(line["pid"], pid);
    assert_eq!(line["program"], vaultlet().canonicalize().unwrap().display().to_string().as_str());
    assert_eq!(line["source"], "managed-identity");
    assert_eq!(line["version"].as_str().unwrap().len(), 32);
    let mode = fs::metadata(place.at("audit.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    // On stderr, beside everything else that is there.
    place.write(&(rule("akv://job/*", "") + "[audit]\nfile = \"stderr\"\n"));
    let ended = vaultlet_ended(&local, &["get", "akv://job/db-password", &flag, &policy]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, VALUE));
    let line: Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(line["event"], "reveal");
}

fn now() -> String {
    Run::program("date").arguments(["-u", "+%Y-%m-%dT%H:%M:%S.%3NZ"]).end().stdout.trim().to_owned()
}

#[test]
fn what_cannot_be_recorded_is_not_given_out() {
    let local = local();
    let place = Place::new("");
    fs::create_dir(place.at("folder")).unwrap();
    symlink("audit.jsonl", place.at("link")).unwrap();
    assert!(Run::program("mkfifo").arguments([place.at("pipe")]).end().code == 0);
    let policy = place.policy().display().to_string();
    for (target, why) in [
        ("/dev/full", "no space left on device"),
        ("none/audit.jsonl", "there is no such file or folder"),
        ("folder", "is a directory"),
        ("link", "it is a link"),
        ("pipe", "it is not a regular file"),
        ("/proc/version", "permission denied"),
    ] {
        if target == "/proc/version" && user() == "root" {
            continue;
        }
        place.write(&format!("{}[audit]\nfile = \"{target}\"\n", rule("akv://job/*", "")));
        for (words, stdin) in commands("akv://job/db") {
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let ended = ended(&local, &words, &[("VAULTLET_POLICY", &policy)], &stdin);
            assert_eq!(ended.code, 78, "{target} {words:?}: {ended:?}");
            for part in ["audit-failed", why, &policy] {
                assert!(ended.stderr.contains(part), "{target} {words:?}: {}", ended.stderr);
            }
            let stdout = ended.stdout.trim_end();
            assert!(["", "(exit 78)"].contains(&stdout), "{target} {words:?}: {stdout}");
        }
    }
    assert!(!place.at("audit.jsonl").exists());
    // With stderr closed, or full.
    place.write(&(rule("akv://job/*", "") + "[audit]\nfile = \"stderr\"\n"));
    for redirected in ["2>&-", "2>/dev/full"] {
        let script = format!("\"$0\" get akv://job/db-password --policy \"$1\" {redirected}");
        let program = vaultlet().to_str().unwrap();
        let run = Run::program("sh").arguments(["-c", &script, program, &policy]);
        let ended = run.environment(local.environment().iter().cloned()).end();
        // A descriptor that was closed is opened to nowhere when a program starts.
        let is_kept = redirected == "2>/dev/full";
        assert!(ended.code == 78 || !is_kept, "{redirected}: {ended:?}");
        assert!(ended.stdout.is_empty() || !is_kept, "{redirected}");
    }
}

#[test]
fn the_journal_gets_each_line_or_nothing_is_given_out() {
    let test = "the_journal_gets_each_line_or_nothing_is_given_out";
    let local = local();
    let place = Place::new("");
    place.write(&(rule("akv://job/db*", "") + "[audit]\nfile = \"journal\"\n"));
    let policy = place.policy().display().to_string();
    // A journal that nobody is at, and one that a program reads.
    let script = "import os, socket, subprocess, sys\n\
        gone = subprocess.run(sys.argv[1:], capture_output=True)\n\
        os.makedirs('/run/systemd/journal')\n\
        journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
        journal.bind('/run/systemd/journal/socket')\n\
        ended = subprocess.run(sys.argv[1:], capture_output=True)\n\
        os.write(1, b'%d %d\\n' % (gone.returncode, ended.returncode) + gone.stderr + ended.stdout + b'\\n')\n\
        os.write(1, journal.recv(65536))\n";
    let program = vaultlet().to_str().unwrap();
    let arguments =
        ["python3", "-c", script, program, "get", "akv://job/db-password", "--policy", &policy];
    // The local Azure is on the loopback of this namespace, so that the network stays as it is.
    let Some((unshare, words)) = in_namespace("mount -t tmpfs none /run", arguments) else {
        return skipped(test, "there are no namespaces");
    };
    let words = words.into_iter().filter(|word| word != "-n");
    let ended = Run::program(unshare).arguments(words);
    let ended = ended.environment(local.environment().iter().cloned()).end();
    if ended.stderr.contains("python3") {
        return skipped(test, "there is no Python");
    }
    let (codes, rest) = ended.stdout.split_once('\n').unwrap_or_else(|| panic!("{ended:?}"));
    assert_eq!(codes, "78 0", "{ended:?}");
    assert!(rest.contains("(audit-failed)"), "{rest}");
    let (output, entry) = rest.split_once("MESSAGE=").unwrap();
    assert_eq!(output.matches(VALUE).count(), 1, "the command's own output, when it was recorded");
    assert!(!entry.contains(VALUE), "a secret is in the journal");
    let (line, fields) = entry.split_once('\n').unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["event"], "reveal");
    for field in ["PRIORITY=6", "SYSLOG_IDENTIFIER=vaultlet", "VAULTLET_EVENT=reveal"] {
        assert!(fields.lines().any(|it| it == field), "{fields}");
    }
}

#[test]
fn lines_of_several_processes_stay_whole() {
    let local = local();
    let place = Place::new(&rule("akv://job/*", ""));
    let arguments =
        ["get", "-o", "json", "akv://job/db", "akv://job/train-key", "akv://job/db-password"];
    let [flag, policy] = place.flag();
    let each = || {
        let ended = vaultlet_ended(&local, &[&arguments[..], &[&flag, &policy]].concat());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(each);
        }
    });
    let lines = place.audit();
    assert_eq!(lines.len(), 24);
    let processes: std::collections::BTreeSet<_> =
        lines.iter().map(|line| line["pid"].as_u64().unwrap()).collect();
    assert_eq!(processes.len(), 8);
}

#[test]
fn a_policy_that_is_wrong_is_refused_with_its_line() {
    let local = local();
    let place = Place::new("");
    let policy = place.policy().display().to_string();
    let good = rule("akv://job/db", "");
    for (text, line) in [
        (format!("{good}colour = 1\n"), Some(4)),
        (format!("{good}[deny]\n"), Some(4)),
        ("[[allow]]\nreference = 1\n".into(), Some(2)),
        ("[[allow]]\nreference = \"akv://job\"\n".into(), Some(2)),
        ("[[allow]]\nreference = \"akv://job/db?json=/user\"\n".into(), Some(2)),
        (format!("{good}versions = \"newest\"\n"), Some(4)),
        (format!("{good}user = \"root\"\n"), Some(4)),
        (format!("{good}reference = \"akv://job/x\"\n"), Some(4)),
        ("[[allow]]\n".into(), Some(1)),
        ("x\n".into(), Some(1)),
    ] {
        place.write(&text);
        for command in [
            &["get", "akv://job/db"][..],
            &["policy", "check"],
            &["policy", "test", "akv://job/db"],
        ] {
            let ended = ended(&local, command, &[("VAULTLET_POLICY", &policy)], "");
            assert_eq!(ended.code, 78, "{text}: {}", ended.stderr);
            let place = line.map(|line| format!("`{policy}`: line {line}: ")).unwrap_or_default();
            assert!(ended.stderr.contains(&place), "{text}: {}", ended.stderr);
            assert!(ended.stderr.contains("(policy-malformed)"), "{}", ended.stderr);
            assert_eq!((ended.stderr.lines().count(), ended.stdout.as_str()), (1, ""));
        }
    }
    place.write(&good);
    fs::set_permissions(place.policy(), fs::Permissions::from_mode(0o666)).unwrap();
    for (path, id) in [(policy.as_str(), "policy-untrusted"), ("/nowhere/p.toml", "policy-file")] {
        let ended = vaultlet_ended(&local, &["get", "akv://job/db", "--policy", path]);
        assert_eq!(ended.code, 78, "{}", ended.stderr);
        assert!(ended.stderr.contains(id) && ended.stderr.contains(path), "{}", ended.stderr);
    }
    assert_eq!(local.counters().operation("get", 200), 0);
}

#[test]
fn policy_check_prints_each_rule_with_its_line() {
    let place = Place::new(&format!(
        "# comment\n{}{}",
        rule("https://job.vault.azure.net/secrets/db", "versions = \"latest\""),
        rule(
            "akv://job/train-*",
            "user = [\"no-such-user-here\"]\nprogram = [\"/no/such/program\", \"/usr/*\"]"
        ),
    ));
    let [flag, policy] = place.flag();
    let ended = Run::vaultlet(["policy", "check", &flag, &policy]).end();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let audit = place.at("audit.jsonl").display().to_string();
    assert_eq!(
        ended.stdout,
        format!(
            "{policy}: 2 rules; audit: {audit}\n\
             line 2: akv://job.vault.azure.net/db, the latest version\n\
             line 5: akv://job/train-*, user no-such-user-here, program /no/such/program or /usr/*\n\
             line 5: note: this machine has no user `no-such-user-here`\n\
             line 5: note: this machine has no program `/no/such/program`\n"
        )
    );
    let ended = Run::vaultlet(["policy", "check", "-o", "json"])
        .environment([("VAULTLET_POLICY", &policy)])
        .end();
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(json["rules"][0]["versions"], "latest");
    assert_eq!(
        (&json["rules"][1]["line"], json["notes"].as_array().unwrap().len()),
        (&5.into(), 2)
    );
    let ended = Run::vaultlet(["policy", "check"]).end();
    assert!(ended.code == 64 && ended.stderr.contains("`VAULTLET_POLICY`"), "{ended:?}");
    place.write("[audit]\nfile = \"none/audit\"\n");
    let ended = Run::vaultlet(["policy", "check", &flag, &policy]).end();
    assert!(ended.code == 78 && ended.stderr.contains("(audit-failed)"), "{ended:?}");
}

#[test]
fn policy_test_says_allowed_or_denied_and_by_which_line() {
    let place = Place::new(&format!(
        "{}{}{}",
        rule("akv://job/db", "user = [\"trainer\"]"),
        rule("akv://job/train-*", "program = [\"/usr/bin/env\"]"),
        rule("akv://job/latest", "versions = \"latest\""),
    ));
    let [flag, policy] = place.flag();
    let version = "0123456789abcdef0123456789abcdef";
    for (words, code, says, json) in [
        (
            vec!["akv://job/db", "--user", "trainer"],
            0,
            "allowed by line 1 of",
            ("allowed", Some(1)),
        ),
        (
            vec!["akv://job/db?json=/user", "--user", "trainer"],
            0,
            "allowed by line 1",
            ("allowed", Some(1)),
        ),
        (
            vec!["akv://job/db?optional", "--user", "trainer"],
            0,
            "allowed by line 1",
            ("allowed", Some(1)),
        ),
        (vec!["akv://job/db"], 77, "denied: line 1 of", ("denied", Some(1))),
        (
            vec!["akv://job/train-x", "--program", "env"],
            0,
            "allowed by line 4",
            ("allowed", Some(4)),
        ),
        (vec!["akv://job/train-x"], 77, "to other programs only", ("denied", Some(4))),
        (vec!["akv://job/latest"], 0, "allowed by line 7", ("allowed", Some(7))),
        (vec!["akv://job/x"], 77, "denied: no line of", ("denied", None)),
        (
            vec!["akv://job/db", "--cloud", "china", "--user", "trainer"],
            0,
            "allowed",
            ("allowed", Some(1)),
        ),
        (vec!["akv://job.vault.azure.cn/db", "--user", "trainer"], 77, "denied", ("denied", None)),
    ] {
        let arguments = [&["policy", "test", &flag, &policy][..], &words].concat();
        let ended = Run::vaultlet(&arguments).end();
        assert_eq!((ended.code, ended.stderr.as_str()), (code, ""), "{words:?}: {}", ended.stdout);
        assert!(
            ended.stdout.contains(says) && ended.stdout.lines().count() == 1,
            "{words:?}: {}",
            ended.stdout
        );
        let ended = Run::vaultlet([&arguments[..], &["-o", "json"]].concat()).end();
        let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(ended.code, code);
        assert_eq!(
            (answer["decision"].as_str().unwrap(), answer["line"].as_i64()),
            (json.0, json.1),
            "{words:?}"
        );
        assert_eq!(
            (&answer["reference"], &answer["policy"]),
            (&words[0].into(), &policy.as_str().into())
        );
    }
    let with_version = format!("akv://job/latest/{version}");
    let ended = Run::vaultlet(["policy", "test", &with_version, &flag, &policy]).end();
    assert!(ended.code == 77 && ended.stdout.contains("without a version only"), "{ended:?}");
    for (words, code) in
        [(vec!["akv://job"], 65), (vec![], 64), (vec!["akv://job/x", "--cloud", "mars"], 64)]
    {
        let ended = Run::vaultlet([&["policy", "test", &flag, &policy][..], &words].concat()).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{words:?}: {}", ended.stderr);
    }
}

#[test]
fn policy_init_writes_what_the_job_needs_and_nothing_else() {
    let local = local();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("job.env"), "DB=akv://job/db?json=/user\nPLAIN=x\nAGAIN=AKV://JOB/db\n").unwrap();
    fs::write(
        at("job.yml"),
        "type: command\ncommand: python train.py\nenvironment: azureml:x@latest\ncompute: azureml:c\n\
         environment_variables:\n  KEY: akv://job/train-key\n",
    )
    .unwrap();
    let init = |arguments: &[&str], variables: &[(&str, &str)]| {
        let run = Run::vaultlet([&["policy", "init"][..], arguments].concat());
        run.environment(variables.iter().copied()).end()
    };
    let environment = [("HERE", "akv://job/db-password")];
    for (arguments, expected) in [
        (vec![], vec!["db-password"]),
        (vec!["--env-file", &at("job.env")], vec!["db", "db-password"]),
        (vec![&*at("job.yml")], vec!["train-key"]),
        (
            vec![&*at("job.yml"), "--env-file", &at("job.env"), "-e", "X=akv://other/x"],
            vec!["db", "train-key", "x"],
        ),
    ] {
        let ended = init(&arguments, &environment);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{arguments:?}");
        let lines = ended.stdout.lines().filter_map(|line| line.strip_prefix("reference = "));
        let names: Vec<_> =
            lines.map(|it| it.trim_matches('"').rsplit('/').next().unwrap()).collect();
        assert_eq!(names, expected, "{}", ended.stdout);
    }
    // Written once, for its owner to change, and obeyed as it is.
    let policy = at("policy.toml");
    let arguments = ["--env-file", &at("job.env"), "--out-file", &policy];
    assert_eq!(init(&arguments, &[]).code, 0);
    let text = fs::read_to_string(&policy).unwrap();
    assert!(text.contains("# AGAIN, DB\n"), "{text}");
    assert!(Policy::load(&policy).is_ok(), "{text}");
    let ended = init(&arguments, &[]);
    assert!(ended.code == 73 && ended.stderr.contains("(policy-exists)"), "{ended:?}");
    assert_eq!(fs::read_to_string(&policy).unwrap(), text);
    for (name, code) in [("db", 0), ("train-key", 77)] {
        let reference = format!("akv://job/{name}");
        assert_eq!(vaultlet_ended(&local, &["get", &reference, "--policy", &policy]).code, code);
    }
    // What is malformed is told by its name, and a job without references is told, too.
    let ended = init(&["-e", "X=akv://job"], &[]);
    assert!(ended.code == 65 && ended.stderr.starts_with("vaultlet: X: "), "{ended:?}");
    let ended = init(&[], &[]);
    assert!(ended.code == 0 && ended.stderr.contains("allows nothing"), "{ended:?}");
    assert_eq!(init(&[&at("none.yml")], &[]).code, 78);
    assert_eq!(init(&["--out-file", &at("none/policy.toml")], &[]).code, 69);
}

#[test]
fn the_library_obeys_the_policy_of_its_builder_or_its_environment() {
    let local = local();
    let place = Place::new(&rule("akv://job/train-*", ""));
    let with = |more: &[(&str, &str)]| {
        let variables = local.environment().iter().map(|(k, v)| (k.as_str(), v.as_str()));
        Vaultlet::builder().variables(variables.chain(more.iter().copied()))
    };
    let policy = place.policy();
    let path = policy.to_str().unwrap();
    let handles = [
        with(&[]).policy(&policy).open().unwrap(),
        with(&[("VAULTLET_POLICY", path)]).open().unwrap(),
        with(&[("VAULTLET_POLICY", "/nowhere")]).policy(&policy).open().unwrap(),
    ];
    for handle in &handles {
        let (good, bad) = ("akv://job/train-key", "akv://job/db?json=/user");
        assert_eq!(handle.get_blocking(good).unwrap().reveal(), VALUE);
        let denied = |error: vaultlet_host::Error| {
            assert_eq!(
                (error.id.as_str(), error.kind.as_str()),
                ("policy-denied", "denied"),
                "{error}"
            );
        };
        denied(handle.get_blocking(bad).unwrap_err());
        denied(handle.get_many_blocking(&[good, bad]).unwrap_err());
        denied(futures_lite::future::block_on(handle.get(bad)).unwrap_err());
        denied(futures_lite::future::block_on(handle.get_many(&[good, bad])).unwrap_err());
        let variables = vec![("A".to_owned(), bad.to_owned()), ("B".to_owned(), good.to_owned())];
        let request = vaultlet_host::EnvironmentRequest { variables: Some(variables), only: None };
        let error = handle.resolve_environment_blocking(&request).unwrap_err();
        assert_eq!(error.variables.len(), 1, "{error}");
        denied(error);
        // What has no values is not the policy's.
        assert!(handle.list_blocking("job").unwrap().len() >= 3);
        assert!(!handle.versions_blocking("akv://job/db").unwrap().is_empty());
        assert_eq!(handle.canonical(bad).unwrap().secret(), "akv://job.vault.azure.net/db");
    }
    assert_eq!(with(&[("VAULTLET_POLICY", "/nowhere")]).open().unwrap_err().id, "policy-file");
}
