//! `vaultlet run`: what is resolved, what the command gets, and what is masked in its output.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use vaultlet_dev::{Local, Seed};
use vaultlet_tests::{Ended, Run};

const VALUE: &str = "p4ss w0rd/\"é'\\$";
const MEMBER: &str = "member-of-json";
const OTHER: &str = "another-member";
const SECRETS: [&str; 4] = [VALUE, MEMBER, OTHER, "line-of-a-secret"];

fn local() -> Local {
    Local::builder()
        .seed("db-password", VALUE)
        .seed("db", format!(r#"{{"user":"{MEMBER}","deep":["{OTHER}"],"n":1}}"#))
        .seed("short", "abc")
        .seed("empty", "")
        .seed("nul", "a\0b")
        .seed("lines", "-----BEGIN X-----\nline-of-a-secret\nxy\n-----END X-----\n")
        .seed("off", Seed::from(VALUE).with_enabled(false))
        .seed("denied", VALUE)
        .grant("managed:none:denied".parse().unwrap())
        .start()
        .unwrap()
}

/// Runs `vaultlet run` with these arguments in a local Azure.
fn run(local: &Local, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let arguments = ["run"].iter().chain(arguments);
    let run = Run::vaultlet(arguments).environment(local.environment().iter().cloned());
    run.environment(variables.iter().copied()).end()
}

/// An option that a reference does not have.
#[test]
fn an_unknown_option_is_answered_with_those_that_there_are() {
    let ended = Run::vaultlet(["run", "-e", "X=akv://my-key-vault/a?foo=1", "--", "true"]).end();
    assert_eq!(ended.code, 65, "{}", ended.stderr);
    for option in ["`json=<pointer>`", "`as=`", "`default=`", "`optional`"] {
        assert!(ended.stderr.contains(option), "{}", ended.stderr);
    }
    assert!(!ended.stderr.contains("only option"), "{}", ended.stderr);
}

#[test]
fn variables_that_are_references_are_resolved_and_all_others_are_left() {
    let local = local();
    let show = |script: &str, arguments: &[&str], variables: &[(&str, &str)]| {
        let script = format!("{script} | od -An -c | tr -d ' \\n'");
        let arguments: Vec<_> =
            arguments.iter().copied().chain(["--no-masking", "--", "sh", "-c", &script]).collect();
        let ended = run(&local, &arguments, variables);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.stderr);
        ended.stdout
    };
    let reference = "akv://job/db-password";
    let shown = r#"p4ssw0rd/"303251'\$"#;
    let url = "https://job.vault.azure.net/secrets/db-password";
    let uri = format!("@Microsoft.KeyVault(SecretUri={url})");
    for value in
        [reference, " akv://job/db-password ", "AKV://job.vault.azure.net/db-password", url, &uri]
    {
        assert_eq!(show("printf %s \"$X\"", &[], &[("X", value)]), shown, "{value}");
    }
    for value in [
        "",
        "plain",
        "x akv://job/db-password",
        "https://job.vault.azure.net",
        "https://example.com/secrets/db-password",
        "http://job.vault.azure.net/secrets/db-password",
        "@Microsoft",
    ] {
        let expected = value.replace(' ', "");
        assert_eq!(show("printf %s \"$X\"", &[], &[("X", value)]), expected, "{value}");
    }
    // The argument wins over the file, and the file over the environment; the later file wins.
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let first = file("first.env", "A=first\nB=first # c\nexport C='fi$rst'\n");
    let second = file("second.env", "\u{feff}B=\"sec\\tond\"\r\n");
    let files = ["--env-file", &first, "--env-file", &second, "-e", "A=argument=1"];
    let environment = [("A", "environment"), ("C", "environment"), ("D", "environment")];
    let shown = show("printf '%s|' \"$A\" \"$B\" \"$C\" \"$D\"", &files, &environment);
    assert_eq!(shown, "argument=1|sec\\tond|fi$rst|environment|");
    // Only those that are named.
    let only = ["--only", "X", "-e", "X=akv://job/short", "-e", "Y=akv://no/malformed_"];
    assert_eq!(show("printf '%s|' \"$X\" \"$Y\"", &only, &[]), "abc|akv://no/malformed_|");
}

#[test]
fn options_say_how_a_value_is_given_and_what_stands_for_a_missing_one() {
    let local = local();
    for (value, script, expected) in [
        ("akv://job/nope?optional", "echo \"${X-unset}\"", "unset\n"),
        ("akv://job/nope?default=a%20b%26", "echo \"$X\"", "a b&\n"),
        ("akv://job/nope?default=", "echo \"[$X]\"", "[]\n"),
        ("akv://job/db?json=/nope&optional", "echo \"${X-unset}\"", "unset\n"),
        ("akv://job/db?default=x&json=/deep/1", "echo \"$X\"", "x\n"),
        (
            "akv://job/db-password/0123456789abcdef0123456789abcdef?optional",
            "echo \"${X-unset}\"",
            "unset\n",
        ),
        ("akv://job/empty?as=env", "echo \"[$X]\"", "[]\n"),
        ("akv://job/short?as=file", "cat \"$X\"; stat -c %a \"$X\"", "abc600\n"),
        ("akv://job/nul?as=file", "od -An -c \"$X\" | tr -d ' \\n'", "a\\0b"),
        (
            "akv://job/nul?as=fd",
            "wc -c <\"$X\"; wc -c <\"$X\"; echo \"${X%/*}\"",
            "3\n3\n/proc/self/fd\n",
        ),
        ("akv://job/db?json=/n&as=fd", "cat $X", "1"),
        ("@Microsoft.KeyVault(VaultName=job;SecretName=db)?json=/n", "echo $X", "1\n"),
        (
            "@Microsoft.KeyVault(SecretUri=https://job.vault.azure.net/secrets/db)?json=/n&as=file",
            "cat $X",
            "1",
        ),
    ] {
        let ended = run(&local, &["--", "sh", "-c", script], &[("X", value)]);
        ended.reveals_none_of(&SECRETS, true);
        assert_eq!((ended.code, ended.stdout.as_str()), (0, expected), "{value}: {}", ended.stderr);
    }
    // The file is gone at the end.
    let ended = run(&local, &["--", "sh", "-c", "echo $X"], &[("X", "akv://job/short?as=file")]);
    let path = ended.stdout.trim();
    assert!(path.ends_with("/X") && !Path::new(path).parent().unwrap().exists(), "{path}");
}

#[test]
fn either_all_are_resolved_or_nothing_starts() {
    let local = local();
    // Variables, other arguments, the exit code, and what stderr says.
    type Case<'a> = (&'a [&'a str], &'a [&'a str], i32, &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (&["A=akv://job/nope"], &[], 66, &["vaultlet: A: reading secret `nope`"]),
        (&["A=akv://job/off?optional"], &[], 66, &["vaultlet: A: ", "disabled"]),
        (&["A=akv://job/denied?default=x"], &[], 77, &["vaultlet: A: ", "(vault-forbidden)"]),
        (&["A=akv://job/db?json=/x"], &[], 65, &["vaultlet: A: ", "(pointer-missing)"]),
        (&["A=akv://job/short?json=/x&optional"], &[], 65, &["(secret-not-json)"]),
        (&["A=akv://job/nul"], &[], 65, &["vaultlet: A: ", "U+0000", "as=file"]),
        (&["A=akv://job/a_b"], &[], 65, &["vaultlet: A: ", "(reference-malformed)"]),
        (&["A=akv://job"], &[], 65, &["vaultlet: A: "]),
        (&["A=akv://job/db?as=env&as=fd"], &[], 65, &["twice"]),
        (&["A=akv://job/db?as=pipe"], &[], 65, &["`as=` takes"]),
        (&["A=akv://job/db?optional=1"], &[], 65, &["takes no value"]),
        (&["A=akv://job/db?default"], &[], 65, &["takes a value"]),
        (&["A=akv://job/db?other=1"], &[], 65, &["vaultlet: A: "]),
        (&["A=akv://job/nope??optional"], &[], 65, &["vaultlet: A: "]),
        (&["A=akv://job/nope?optional&default=x"], &[], 65, &["both", "leave one of them out"]),
        (&["A=akv://job/db,akv://job/db"], &[], 65, &["`://` stands in it twice"]),
        (&["A=@Microsoft.KeyVault(VaultName=job;SecretName=db)x"], &[], 65, &["`)` is missing"]),
        (&["A=akv://job/nope?default=a%00b"], &[], 65, &["vaultlet: A: ", "U+0000"]),
        (&["B=akv://job/nope", "A=akv://job/denied"], &[], 77, &["vaultlet: A: ", "vaultlet: B: "]),
        (&["A=1", "A=2"], &[], 64, &["`-e` sets `A` twice"]),
        (&["A"], &[], 64, &["NAME=VALUE"]),
        (&["1A=x"], &[], 64, &["NAME=VALUE"]),
        (&[], &["--only", "NOPE"], 64, &["`NOPE`, which is not set"]),
        (&[], &["--env-file", "/no/such/file"], 78, &["/no/such/file", "(env-file)"]),
    ];
    for (variables, arguments, code, texts) in cases {
        let mut all: Vec<_> = arguments.to_vec();
        variables.iter().for_each(|it| all.extend(["-e", it]));
        all.extend(["--", "echo", "started"]);
        let ended = run(&local, &all, &[]);
        ended.reveals_none_of(&SECRETS, true);
        assert_eq!((ended.code, ended.stdout.as_str()), (*code, ""), "{all:?}: {}", ended.stderr);
        for text in *texts {
            assert!(ended.stderr.contains(text), "{all:?}: no {text} in {}", ended.stderr);
        }
    }
    let json = ["-o", "json", "-e", "B=akv://job/nope", "-e", "A=akv://job/denied", "--", "true"];
    let ended = run(&local, &json, &[]);
    ended.reveals_none_of(&SECRETS, true);
    let error: serde_json::Value =
        serde_json::from_str(ended.stderr.lines().last().unwrap()).unwrap();
    let error = error.get("error").unwrap();
    assert_eq!((ended.code, error.get("id").unwrap().as_str()), (77, Some("vault-forbidden")));
    let ids: Vec<_> = error
        .get("variables")
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (it.get("name").unwrap().as_str().unwrap(), it.get("id").unwrap().as_str().unwrap())
        })
        .collect();
    assert_eq!(ids, [("A", "vault-forbidden"), ("B", "secret-not-found")]);
}

#[test]
fn one_secret_is_read_once_whatever_members_are_wanted() {
    let local = local();
    let arguments = [
        "-e",
        "A=akv://job/db?json=/user",
        "-e",
        "B=akv://job/db?json=/deep/0",
        "-e",
        "C=akv://job/db",
        "--",
        "true",
    ];
    assert_eq!(run(&local, &arguments, &[]).code, 0);
    assert_eq!(local.counters().operation("get", 200), 1);
}

#[test]
fn secrets_are_masked_in_every_form() {
    let local = local();
    let script = r#"
import base64, binascii, json, os, sys, time, urllib.parse as u
p = os.environ["P"]
b = p.encode()
out = lambda text: print(text, flush=True)
out(p); out(json.dumps(p)); out(json.dumps(p, ensure_ascii=False)); out(u.quote(p)); out(u.quote(p, safe=""))
out(u.quote_plus(p)); out(base64.b64encode(b).decode()); out(base64.urlsafe_b64encode(b).decode().rstrip("="))
out(b.hex()); out(b.hex().upper())
out(os.environ["M"] + " " + json.loads(os.environ["W"])["deep"][0])
out(os.environ["L"])
for c in b: sys.stdout.buffer.write(bytes([c])); sys.stdout.flush()
print()
print(p, file=sys.stderr)
"#;
    let arguments = [
        "-e",
        "P=akv://job/db-password",
        "-e",
        "M=akv://job/db?json=/user",
        "-e",
        "W=akv://job/db",
        "-e",
        "L=akv://job/lines",
        "--",
        "python3",
        "-c",
        script,
    ];
    let ended = run(&local, &arguments, &[]);
    ended.reveals_none_of(&SECRETS, true);
    let expected = "<P>\n\"<P>\"\n\"<P>\"\n<P>\n<P>\n<P>\n<P>\n<P>\n<P>\n<P>\n<M> <M>\n<L>\n<P>\n";
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, expected, "<P>\n"));
    let ended = run(&local, &["-e", "S=akv://job/short", "--", "sh", "-c", "echo $S"], &[]);
    assert_eq!(ended.stdout, "abc\n");
    assert!(ended.stderr.contains("`S` is too short"), "{}", ended.stderr);
}

#[test]
fn much_output_arrives_whole_and_in_order() {
    let local = local();
    let ended = run(&local, &["-e", "P=akv://job/db-password", "--", "seq", "3000000"], &[]);
    let expected: String = (1..=3_000_000).map(|number| format!("{number}\n")).collect();
    assert!(ended.code == 0 && ended.stdout == expected);
}

#[test]
fn without_masking_the_command_takes_the_place_of_vaultlet() {
    let local = local();
    let script = "echo \"$P\"; tr '\\0' ' ' </proc/$$/cmdline; echo; grep -c SigBlk:.0000000000000000 /proc/self/status";
    let arguments = ["-e", "P=akv://job/db-password", "--no-masking", "--", "sh", "-c", script];
    let ended = run(&local, &arguments, &[]);
    let mut lines = ended.stdout.lines();
    assert_eq!(lines.next(), Some(VALUE));
    assert!(lines.next().unwrap().starts_with("sh -c "));
    assert_eq!((lines.next(), ended.code), (Some("1"), 0), "{}", ended.stderr);
}

#[test]
fn output_that_nobody_reads_is_an_error() {
    let local = local();
    let script = "\"$0\" run -e P=akv://job/db-password -- sh -c 'trap \"\" PIPE; echo x; echo y; exit 0' >/dev/full; echo $?";
    let run = Run::program("sh").arguments(["-c", script]).arguments([vaultlet_tests::vaultlet()]);
    let ended = run.environment(local.environment().iter().cloned()).end();
    assert_eq!(ended.stdout, "69\n", "{}", ended.stderr);
    assert!(ended.stderr.contains("(output-failed)"), "{}", ended.stderr);
}
