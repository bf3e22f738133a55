//! Variables, their names and env files of any bytes, and the limits of the system for them.

use vaultlet_dev::Local;
use vaultlet_tests::{Ended, Run};

const VALUE: &str = "p4ss w0rd";
const SECRETS: [&str; 2] = [VALUE, "long enough"];

fn local() -> Local {
    Local::builder()
        .seed("db-password", VALUE)
        .seed("short", "abc")
        .seed("small", r#"{"a":"long enough","b":"ab","c":["x"]}"#)
        .start()
        .unwrap()
}

/// A script with the program as `$0` in a local Azure.
fn script(local: &Local, text: &str) -> Ended {
    let run = Run::program("bash").arguments(["-c", text]).arguments([vaultlet_tests::vaultlet()]);
    let ended = run.environment(local.environment().iter().cloned()).end();
    ended.reveals_none_of(&SECRETS, true);
    ended
}

#[test]
fn names_and_values_of_any_bytes_are_refused_or_shown_on_one_line() {
    let local = local();
    let by_name = "env $'A\\e[31m\\nB=akv://job/nope'";
    for (text, expected) in [
        // A reference that is no text is not left.
        (
            "A=$'akv://job/pw\\xff' \"$0\" run -- echo started",
            "65 vaultlet: A: reading the reference",
        ),
        ("\"$0\" run -e $'A=akv://job/pw\\xff' -- echo started", "65 vaultlet: A: "),
        ("A=$'akv://job/pw\\xff' \"$0\" redact </dev/null", "65 vaultlet: A: "),
        ("A=$'@Microsoft.KeyVault(\\xff' \"$0\" export -f sh", "65 vaultlet: A: "),
        // Other text that is not UTF-8 is.
        ("A=$'https://x/\\xff' \"$0\" run -- true", "0 "),
        (&format!("{by_name} \"$0\" run -- echo started"), "66 vaultlet: A B: reading secret"),
        (&format!("{by_name}?optional \"$0\" redact </dev/null"), "65 vaultlet: A B: "),
        (&format!("{by_name} \"$0\" export -f json"), "66 vaultlet: A B: "),
        (
            "env $'A\\e[31m\\nB=akv://job/short' \"$0\" run -- true",
            "0 vaultlet: the value of `A B` is too short",
        ),
    ] {
        let ended = script(&local, text);
        let shown = format!("{} {}", ended.code, ended.stderr);
        assert!(shown.starts_with(expected), "{text}: {shown}");
        assert!(ended.stderr.lines().count() <= 1 && !shown.contains('\u{1b}'), "{text}: {shown}");
        assert!(!ended.stdout.contains("started"), "{text}");
    }
}

#[test]
fn env_files_have_no_null_character_and_may_be_stdin() {
    let local = local();
    for command in ["run", "redact", "export -f sh"] {
        let end = if command == "run" { "-- echo started" } else { "" };
        for (text, line) in [("A=1\\nB=x\\0y\\n", 2), ("A\\0=1", 1), ("#\\n\\nA=\"\\0\"", 3)] {
            let text = format!("\"$0\" {command} --env-file <(printf '{text}') {end} </dev/null");
            let ended = script(&local, &text);
            assert_eq!(ended.code, 78, "{text}: {}", ended.stderr);
            let said = format!("line {line} is malformed: it has a null character");
            assert!(ended.stderr.contains(&said), "{text}: {}", ended.stderr);
            assert!(ended.stderr.contains("(env-file)"), "{text}: {}", ended.stderr);
        }
    }
    for (text, code, shown) in [
        ("printf 'A=1' | \"$0\" run --env-file - -- sh -c 'echo $A'", 0, "1\n"),
        ("printf 'A=1' | \"$0\" export -f json --env-file -", 0, "\"A\":\"1\""),
        ("printf 'A=1' | \"$0\" run --env-file - --env-file - -- true", 64, "twice"),
        ("printf 'A=1' | \"$0\" redact --env-file -", 64, "stdin is the text"),
        ("printf 'A' | \"$0\" run --env-file - -- true", 78, "from stdin: line 1"),
        ("\"$0\" run --env-file - -- true <&-", 78, "(env-file)"),
        // A value keeps what is not white space in a file of lines.
        (
            "printf 'A=x\\302\\240\\n' | \"$0\" run --env-file - -- sh -c 'echo \"$A\"'",
            0,
            "x\u{a0}\n",
        ),
    ] {
        let ended = script(&local, text);
        let all = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, code, "{text}: {all}");
        assert!(all.contains(shown), "{text}: {all}");
    }
}

#[test]
fn limits_of_the_system_are_named() {
    let local = local();
    for (text, code, expected) in [
        (
            "(printf A=; head -c 200000 /dev/zero | tr '\\0' x) | \"$0\" run --env-file - -- true",
            126,
            &["too large", "as=file"][..],
        ),
        ("ulimit -n 8; \"$0\" run -e B=akv://job/db-password -- true", 78, &["(descriptor-limit)"]),
    ] {
        let ended = script(&local, text);
        assert_eq!(ended.code, code, "{text}: {}", ended.stderr);
        for expected in expected {
            assert!(ended.stderr.contains(expected), "{text}: {}", ended.stderr);
        }
        assert!(!ended.stderr.contains("PATH"), "{}", ended.stderr);
    }
}

#[test]
fn a_short_string_in_a_secret_that_is_json_is_no_short_value() {
    let local = local();
    for (value, shown, is_short) in
        [("X=akv://job/small?json=/a", "<X>\n", false), ("X=akv://job/small?json=/b", "ab\n", true)]
    {
        let ended = script(&local, &format!("\"$0\" run -e '{value}' -- sh -c 'echo $X'"));
        assert_eq!((ended.code, ended.stdout.as_str()), (0, shown), "{}", ended.stderr);
        assert_eq!(ended.stderr.contains("too short"), is_short, "{}", ended.stderr);
        let redact = format!("echo | \"$0\" redact -e '{value}'");
        let ended = script(&local, &redact);
        assert_eq!(ended.stderr.contains("too short"), is_short, "{}", ended.stderr);
    }
}
