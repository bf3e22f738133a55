//! The audit: what is in a line, where it goes, and that nothing is given out without it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use serde_json::Value;
use vaultlet_host::{EnvironmentRequest, Vaultlet};
use vaultlet_tests::sandbox::{in_namespace, skipped};
use vaultlet_tests::{Run, vaultlet};

use crate::{Place, VALUE, commands, ended, local, rule, user, vaultlet_ended};

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
    assert_eq!(members.iter().copied().collect::<BTreeSet<_>>(), expected.into());
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

/// A call of the library, by its name: whether it succeeds, and the events that it leaves.
type LibraryCall<'a> = (&'a str, &'a dyn Fn() -> bool, &'a [&'a str]);

#[test]
fn nothing_is_recorded_as_given_out_that_is_not() {
    let local = local();
    let place = Place::new(&rule("akv://job/*", ""));
    let job = "type: command\ncommand: x\nenvironment: azureml:x@latest\ncompute: azureml:c\n\
        environment_variables:\n  KEY: akv://job/db\n";
    fs::write(place.at("job.yml"), job).unwrap();
    let job = place.at("job.yml").display().to_string();
    let policy = place.policy().display().to_string();
    let (db, gone) = ("akv://job/db", "akv://job/gone");
    let (a, b) = (format!("A={db}"), format!("B={gone}"));
    let both = format!("{{{{ {db} }}}} {{{{ {gone} }}}}");
    let failed = ["failed gone secret-not-found"].as_slice();
    let default = "A=akv://job/db?json=/none&default=x";
    let name = "not a name=akv://job/db";
    for (words, stdin, expected) in [
        (&["get", "-o", "json", db, gone][..], "", failed),
        (&["get", "-o", "json", gone, db], "", failed),
        (&["get", "-o", "env", db, gone], "", failed),
        (&["run", "-e", &a, "-e", &b, "--", "true"], "", failed),
        (&["run", "--drop-identity", "-e", &a, "-e", &b, "--", "true"], "", failed),
        (&["run", "-e", default, "--", "true"], "", &[]),
        (&["export", "-f", "json", "-e", &a, "-e", &b], "", failed),
        (&["export", "-f", "sh", "-e", name], "", &[]),
        (&["redact", "-e", &a, "-e", &b], "text", failed),
        (&["inject"], &both, failed),
        (&["doctor", db], "", &[]),
        (&["job", "check", &job], "", &[]),
        // In the order of the references.
        (&["get", "-o", "json", "akv://job/train-key", db], "", &["reveal train-key", "reveal db"]),
        (&["run", "-e", &a, "--", "true"], "", &["reveal db"]),
    ] {
        let _ = fs::remove_file(place.at("audit.jsonl"));
        let _ = ended(&local, words, &[("VAULTLET_POLICY", &policy)], stdin);
        assert_eq!(place.events(), expected, "{words:?}");
    }
    // The calls of the library, on this thread and on others.
    let vaultlet = Vaultlet::builder().variables(local.environment().iter().cloned());
    let vaultlet = vaultlet.policy(place.policy()).open().unwrap();
    let request = |a: &str, b: &str| {
        let variables = [("A", a), ("B", b)].map(|(name, value)| (name.into(), value.into()));
        EnvironmentRequest { variables: Some(variables.into()), only: None }
    };
    let default = request("akv://job/train-key", "akv://job/db?json=/none&default=x");
    let wait = |receiver: std::sync::mpsc::Receiver<bool>| receiver.recv().unwrap();
    let calls: [LibraryCall<'_>; 10] = [
        ("get_many_blocking", &|| vaultlet.get_many_blocking(&[db, gone]).is_ok(), failed),
        ("get_many", &|| block_on(vaultlet.get_many(&[db, gone])).is_ok(), failed),
        (
            "get_many_then",
            &|| {
                let (send, receiver) = std::sync::mpsc::channel();
                let both = vec![db.to_owned(), gone.to_owned()];
                vaultlet.get_many_then(both, move |got| send.send(got.is_ok()).unwrap());
                wait(receiver)
            },
            failed,
        ),
        (
            "resolve_environment_blocking",
            &|| vaultlet.resolve_environment_blocking(&request(db, gone)).is_ok(),
            failed,
        ),
        (
            "resolve_environment",
            &|| block_on(vaultlet.resolve_environment(&request(db, gone))).is_ok(),
            failed,
        ),
        (
            "resolve_environment_then",
            &|| {
                let (send, receiver) = std::sync::mpsc::channel();
                let then = move |got: Result<_, _>| send.send(got.is_ok()).unwrap();
                vaultlet.resolve_environment_then(&request(db, gone), then);
                wait(receiver)
            },
            failed,
        ),
        (
            "get_many_blocking of good ones",
            &|| vaultlet.get_many_blocking(&[db, "akv://job/train-key"]).is_ok(),
            &["reveal db", "reveal train-key"],
        ),
        (
            "get_many of good ones",
            &|| block_on(vaultlet.get_many(&[db, "akv://job/train-key"])).is_ok(),
            &["reveal db", "reveal train-key"],
        ),
        (
            "resolve_environment_blocking with a default",
            &|| vaultlet.resolve_environment_blocking(&default).is_ok(),
            &["reveal train-key"],
        ),
        (
            "resolve_environment with a default",
            &|| block_on(vaultlet.resolve_environment(&default)).is_ok(),
            &["reveal train-key"],
        ),
    ];
    for (name, call, expected) in calls {
        let _ = fs::remove_file(place.at("audit.jsonl"));
        let is_good = call();
        // Once one has failed, the others are cancelled, if they are not there yet.
        let mut events = place.events();
        events.retain(|it| it != "failed db cancelled");
        assert_eq!(is_good, events.iter().any(|it| it.starts_with("reveal")), "{name}");
        assert_eq!(events, expected, "{name}");
    }
}

#[test]
fn a_watched_secret_is_recorded_once_for_each_version() {
    let local = local();
    let place = Place::new(&rule("akv://job/*", ""));
    let [flag, policy] = place.flag();
    let watch = ["run", "--watch", "--interval", "1", &flag, &policy, "-e", "A=akv://job/db"];
    let mut child = Command::new(vaultlet())
        .args(watch)
        .args(["--", "sleep", "60"])
        .envs(local.environment().iter().cloned())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while local.counters().operation("get", 200) < 3 {
        assert!(Instant::now() < until, "it is not asked again");
        std::thread::sleep(Duration::from_millis(20));
    }
    Run::program("kill").arguments([child.id().to_string()]).end();
    child.wait().unwrap();
    assert_eq!(place.events(), ["reveal db"]);
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
        assert_eq!((ended.code, ended.stdout.as_str()), (78, ""), "{redirected}: {ended:?}");
    }
    // Whoever throws the lines away does so on purpose, in either way: daemons open it to read and write.
    for redirected in ["2>/dev/null", "2<>/dev/null"] {
        let script = format!("\"$0\" get akv://job/db-password --policy \"$1\" {redirected}");
        let program = vaultlet().to_str().unwrap();
        let run = Run::program("sh").arguments(["-c", &script, program, &policy]);
        let ended = run.environment(local.environment().iter().cloned()).end();
        assert_eq!(ended.code, 0, "{redirected}: {ended:?}");
    }
}

#[test]
fn a_command_that_is_not_there_is_told_before_a_secret_is_given_out() {
    let local = local();
    let place = Place::new(&rule("akv://job/*", ""));
    let [flag, policy] = place.flag();
    for (command, code) in [("no-such-program", 127), ("./no/program", 127), ("/etc/passwd", 126)] {
        let words = ["run", &flag, &policy, "-e", "A=akv://job/db", "--", command];
        let ended = ended(&local, &words, &[], "");
        assert_eq!(ended.code, code, "{command}: {}", ended.stderr);
        let asked = local.counters().operation("get", 200);
        // Only the system knows whether a file that is there can be executed.
        assert_eq!((asked > 0, place.events().is_empty()), (code == 126, code == 127), "{command}");
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
    let processes: BTreeSet<_> = lines.iter().map(|line| line["pid"].as_u64().unwrap()).collect();
    assert_eq!(processes.len(), 8);
}
