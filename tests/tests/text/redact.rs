//! `vaultlet redact`: what is masked, when it is written, and how it ends.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use vaultlet_dev::Local;
use vaultlet_tests::Ended;

use crate::{MEMBER, SECRETS, VALUE, command, fed, local};

/// What the value begins with.
const BEGINNING: &str = "p4ss \"w0rd\"/'é' ";
const REFERENCE: &str = "P=akv://job/db-password";

fn redacted(local: &Local, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Ended {
    let arguments: Vec<_> = ["redact"].iter().chain(arguments).copied().collect();
    let mut command = command(local, &arguments);
    command.envs(variables.iter().copied());
    fed(command, input.as_bytes()).0
}

#[test]
fn secrets_are_masked_as_in_the_output_of_run() {
    let (local, folder) = (local(), tempfile::tempdir().unwrap());
    let file = folder.path().join("job.env");
    std::fs::write(&file, "M='akv://job/db?json=/user'\nX=plain-text\nP=akv://job/short\n")
        .unwrap();
    let arguments = ["--env-file", file.to_str().unwrap(), "-e", REFERENCE];
    let quoted = VALUE.replace('\'', r"'\''");
    let input = format!("{VALUE} '{quoted}' {MEMBER} plain-text\n{{\"n\":1}} {}", BEGINNING);
    let ended =
        redacted(&local, &arguments, &[("L", "akv://job/lines"), ("Y", "plain-too")], &input);
    ended.reveals_none_of(&SECRETS, true);
    let expected = format!("<P> '<P>' <M> plain-text\n{{\"n\":1}} {}", BEGINNING);
    assert_eq!(
        (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
        (0, expected.as_str(), "")
    );
    // A variable of the environment is masked, too, unless `--only` names others.
    let line = "first line of it";
    let ended = redacted(&local, &[], &[("L", "akv://job/lines")], line);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "<L>"), "{}", ended.stderr);
    let all = ["--only", "P", "-e", REFERENCE];
    let ended = redacted(&local, &all, &[("L", "akv://job/lines")], line);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, line), "{}", ended.stderr);
}

#[test]
fn what_is_not_masked_is_said() {
    let local = local();
    for (arguments, text) in [
        (["-e", "S=akv://job/short"], "`S` is too short to be masked"),
        (["-e", "X=plain-text"], "`X` is no reference, and is not masked"),
    ] {
        let ended = redacted(&local, &arguments, &[], "abc plain-text");
        assert_eq!((ended.code, ended.stdout.as_str()), (0, "abc plain-text"));
        assert!(
            ended.stderr.contains(text) && ended.stderr.lines().count() == 1,
            "{}",
            ended.stderr
        );
        assert!(!ended.stderr.contains("plain-text"), "{}", ended.stderr);
    }
}

#[test]
fn nothing_is_copied_unless_all_secrets_are_read() {
    let local = local();
    for (arguments, code, text) in [
        (&["-e", "A=akv://job/nope", "-e", "B=akv://job/denied"][..], 66, "vaultlet: A: "),
        (&["-e", "A=akv://job/short?as=file"], 65, "`as`"),
        (&["-e", "A=akv://job/short?as=fd"], 65, "`as`"),
        (&["-e", "A=akv://job/short?as=env"], 65, "`as`"),
        (&["-e", "A=akv://job/nope?optional"], 65, "`optional`"),
        (&["-e", "A=akv://job/nope?default=x"], 65, "`default`"),
        (&["-e", "A=akv://job"], 65, "vaultlet: A: "),
        (&["-e", "A"], 64, "NAME=VALUE"),
        (&["--env-file", "/no/such"], 78, "(env-file)"),
        (&["--only", "NOPE"], 64, "`NOPE`"),
        (&["x"], 64, "unexpected argument"),
    ] {
        let ended = redacted(&local, arguments, &[], "text");
        ended.reveals_none_of(&SECRETS, true);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (code, ""),
            "{arguments:?}: {}",
            ended.stderr
        );
        assert!(ended.stderr.contains(text), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn text_is_written_before_the_end_of_the_input() {
    let local = local();
    let mut command = command(&local, &["redact", "-e", REFERENCE]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut next = |input: &str, expected: &str| {
        stdin.write_all(input.as_bytes()).unwrap();
        let mut output = vec![0; expected.len()];
        stdout.read_exact(&mut output).unwrap();
        assert_eq!(String::from_utf8(output).unwrap(), expected);
    };
    next("a prompt: ", "a prompt: ");
    next("% 10 %\r", "% 10 %\r");
    // It could begin the value, but does not go on for a while.
    next("p4s", "p4s");
    let (first, last) = VALUE.split_at(17);
    next(&format!("-{first}"), "-");
    next(&format!("{last}."), "<P>.");
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn it_ends_as_filters_do() {
    let local = local();
    let script = |line: &str| {
        let mut shell = Command::new("bash");
        shell.args(["-c", line]).arg(vaultlet_tests::vaultlet());
        shell.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        shell.envs(local.environment().iter().cloned()).env("P", "akv://job/db-password");
        let ended = Ended::from(shell.output().unwrap());
        ended.reveals_none_of(&SECRETS, true);
        ended
    };
    // A reader that has gone ends it, and what it reads from, without a word.
    let ended = script("yes | \"$0\" redact | head -n 1; echo \"${PIPESTATUS[@]}\"");
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("y\n141 141 0\n", ""));
    let ended =
        script("trap '' PIPE; yes 2>&- | \"$0\" redact | head -n 1; echo \"${PIPESTATUS[1]}\"");
    assert_eq!(ended.stdout, "y\n69\n", "{}", ended.stderr);
    for (line, code, text) in [
        ("\"$0\" redact </etc/passwd >/dev/full", 69, "(output-failed)"),
        ("\"$0\" redact </etc/passwd >&-", 69, "(output-failed)"),
        ("\"$0\" redact <&-", 78, "(in-file)"),
        ("\"$0\" redact </", 78, "(in-file)"),
    ] {
        let ended = script(line);
        assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{line}: {}", ended.stderr);
        assert!(ended.stderr.contains(text), "{line}: {}", ended.stderr);
    }
}

#[test]
fn much_text_arrives_whole_and_in_order() {
    let local = local();
    let line = |number: u32| {
        format!("{number} {}\n", if number.is_multiple_of(97) { VALUE } else { "p4ss" })
    };
    let input: String = (0..200_000).map(line).collect();
    let ended = redacted(&local, &["-e", REFERENCE], &[], &input);
    assert!(ended.code == 0 && ended.stdout == input.replace(VALUE, "<P>"));
}
