//! The command's standard streams are those that it would have without the wrapper: pipes, files, and none.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use vaultlet_dev::Local;
use vaultlet_tests::Ended;

use crate::reference::{WAYS, local, started};

/// Runs a line of shell, in which the command that is started this way is `"$@"`.
fn below(local: &Local, shell: &str, way: &[&str], command: &[&str]) -> Ended {
    let inner = started(local, way, command);
    let mut outer = Command::new("sh");
    outer.args(["-c", shell, "sh"]).arg(inner.get_program()).args(inner.get_args()).env_clear();
    outer.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Ended::from(outer.stdin(Stdio::null()).output().unwrap())
}

#[test]
fn standard_input_is_the_same_pipe_file_or_nothing() {
    let local = local();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines");
    std::fs::write(&file, "one\ntwo\nthree\nfour\n").unwrap();
    let file = file.display();
    let read: &[&str] = &["sh", "-c", "cat; echo $?"];
    let line: &[&str] = &["sh", "-c", "read -r a; echo \"got $a\"; exit 7"];
    for (shell, command) in [
        ("printf 'a\\0b\\n' | \"$@\"".to_owned(), read),
        ("seq 200000 | \"$@\" | cksum".to_owned(), read),
        (format!("\"$@\" <{file}"), read),
        // What the command does not read is left for whoever comes next.
        (format!("{{ \"$@\"; echo $?; cat; }} <{file}"), line),
        ("\"$@\" </dev/null".to_owned(), read),
        ("\"$@\" <&-".to_owned(), line),
        ("\"$@\" <&- 2>/dev/null; echo $?".to_owned(), &["cat"]),
        ("yes | \"$@\"; echo $?".to_owned(), &["head", "-n", "2"]),
    ] {
        let expected = below(&local, &shell, WAYS[0], command);
        for way in &WAYS[1..] {
            let ended = below(&local, &shell, way, command);
            let told = (ended.code, &ended.stdout);
            assert_eq!(told, (expected.code, &expected.stdout), "{shell}, {way:?}: {ended:?}");
        }
    }
}

#[test]
fn output_goes_to_the_same_place_in_the_same_order() {
    let local = local();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let file = file.display();
    let both: &[&str] =
        &["sh", "-c", "for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done; exit 7"];
    for (shell, command) in [
        ("\"$@\" 2>&1; echo $?".to_owned(), both),
        (format!("\"$@\" >{file} 2>&1; echo $?; cat {file}"), both),
        (
            format!(
                "echo first >{file}; \"$@\" >>{file} 2>/dev/null; echo last >>{file}; cat {file}"
            ),
            both,
        ),
        ("\"$@\" 2>/dev/null | cat".to_owned(), both),
        ("\"$@\" >&- 2>/dev/null; echo $?".to_owned(), &["true"]),
        // A reader that leaves ends a program that goes on writing.
        ("{ \"$@\"; echo $? >&2; } | head -n 1".to_owned(), &["yes"]),
    ] {
        let expected = below(&local, &shell, WAYS[0], command);
        for way in &WAYS[1..] {
            let ended = below(&local, &shell, way, command);
            assert_eq!(
                (ended.code, &ended.stdout, &ended.stderr),
                (expected.code, &expected.stdout, &expected.stderr),
                "{shell}, {way:?}"
            );
        }
    }
}

#[test]
fn a_hundred_megabytes_arrive_whole() {
    let local = local();
    let script = "yes 0123456789-abcdefgh | head -c 104857600; echo end >&2";
    let shell = "\"$@\" | cksum";
    let expected = below(&local, shell, WAYS[0], &["sh", "-c", script]);
    for way in [WAYS[3], WAYS[4]] {
        let ended = below(&local, shell, way, &["sh", "-c", script]);
        let told = (ended.code, &ended.stdout, &ended.stderr);
        assert_eq!(told, (expected.code, &expected.stdout, &expected.stderr), "{way:?}");
    }
}

/// The command has one pipe as input and output, as a program of `socat` or `inetd` does.
#[test]
fn a_conversation_through_pipes_goes_on_line_by_line() {
    let local = local();
    for way in WAYS {
        let mut command =
            started(&local, way, &["sh", "-c", "while read -r a; do echo \"re: $a\"; done"]);
        let (reader, writer) = std::io::pipe().unwrap();
        let (answers, theirs) = std::io::pipe().unwrap();
        command.stdin(OwnedFd::from(reader)).stdout(OwnedFd::from(theirs));
        let mut child = command.spawn().unwrap();
        drop(command);
        let mut writer = File::from(OwnedFd::from(writer));
        let mut answers = std::io::BufReader::new(answers);
        for number in 0..20 {
            writeln!(writer, "{number}").unwrap();
            let mut line = String::new();
            std::io::BufRead::read_line(&mut answers, &mut line).unwrap();
            assert_eq!(line, format!("re: {number}\n"), "{way:?}");
        }
        drop(writer);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{way:?}");
    }
}
