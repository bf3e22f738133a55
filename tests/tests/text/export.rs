//! `vaultlet export`: what is exported, and that the program which each format is for has exactly the values.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use vaultlet_dev::Local;
use vaultlet_tests::Ended;

use crate::readers::{self, Reader};
use crate::{LINES, MEMBER, SECRETS, VALUE, command, local};

fn exported(local: &Local, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let arguments: Vec<_> = ["export"].iter().chain(arguments).copied().collect();
    let mut command = command(local, &arguments);
    let output = command.envs(variables.iter().copied()).stdin(Stdio::null()).output();
    let ended = Ended::from(output.unwrap());
    ended.reveals_none_of(&SECRETS, false);
    ended
}

#[test]
fn what_run_would_set_is_exported_and_nothing_else() {
    let (local, folder) = (local(), tempfile::tempdir().unwrap());
    let file = folder.path().join("job.env");
    fs::write(&file, "F=plain\nM='akv://job/db?json=/user'\nS=akv://job/nope\n").unwrap();
    let file = ["--env-file", file.to_str().unwrap()];
    let environment = [("E", "akv://job/short"), ("PLAIN", "x"), ("L", "akv://job/lines")];
    let arguments = [&["-f", "json", "-e", "S=akv://job/empty", "-e", "P=y"], &file[..]].concat();
    let ended = exported(&local, &arguments, &environment);
    let expected = format!(
        "{{\"E\":\"abc\",\"F\":\"plain\",\"L\":{},\"M\":\"{MEMBER}\",\"P\":\"y\",\"S\":\"\"}}\n",
        serde_json::to_string(LINES).unwrap()
    );
    assert_eq!((ended.code, ended.stdout.as_str()), (0, expected.as_str()), "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
    // References that are not chosen stay as they are.
    let arguments = ["-f", "json", "--only", "E", "-e", "X=akv://job/nope"];
    let ended = exported(&local, &arguments, &environment);
    assert_eq!(ended.stdout, "{\"E\":\"abc\",\"X\":\"akv://job/nope\"}\n", "{}", ended.stderr);
    for (format, expected) in [("json", "{}\n"), ("sh", ""), ("dotenv", ""), ("github", "")] {
        let ended = exported(&local, &["-f", format], &[]);
        assert_eq!((ended.code, ended.stdout.as_str()), (0, expected), "{}", ended.stderr);
    }
}

#[test]
fn a_failure_prints_nothing_but_what_ends_a_shell() {
    let local = local();
    let cases: &[(&[&str], i32, &[&str])] = &[
        (
            &["-e", "B=akv://job/nope", "-e", "A=akv://job/denied"],
            77,
            &["vaultlet: A: ", "vaultlet: B: "],
        ),
        (&["-e", "A=akv://job/off"], 66, &["vaultlet: A: "]),
        (&["-e", "A=akv://job/nul"], 65, &["vaultlet: A: ", "U+0000", "(variable-refused)"]),
        (&["-e", "A=akv://job/short?as=file"], 65, &["vaultlet: A: ", "`as`"]),
        (&["-e", "A=akv://job/short?as=fd"], 65, &["vaultlet: A: ", "`as`"]),
        (&["-e", "A=akv://job/nope?optional"], 65, &["vaultlet: A: ", "`optional`"]),
        (&["-e", "A=akv://job/nope?default=x"], 65, &["vaultlet: A: ", "`default`"]),
        (&["-e", "A=akv://job/a_b"], 65, &["vaultlet: A: "]),
        (&["-e", "A"], 64, &["NAME=VALUE"]),
        (&["-e", "A=1", "-e", "A=2"], 64, &["twice"]),
        (&["--env-file", "/no/such"], 78, &["(env-file)"]),
        (&["--only", "NOPE"], 64, &["`NOPE`"]),
        (&["--nope"], 64, &["`--nope`", "vaultlet export --help"]),
    ];
    let formats = ["dotenv", "fish", "powershell", "json", "github"];
    for ((arguments, code, texts), other) in cases.iter().zip(formats.into_iter().cycle()) {
        for (format, stdout) in [("sh", format!("(exit {code})\n")), (other, String::new())] {
            let ended = exported(&local, &[&["-f", format], *arguments].concat(), &[]);
            assert_eq!((ended.code, ended.stdout), (*code, stdout), "{format} {arguments:?}");
            for text in *texts {
                assert!(ended.stderr.contains(text), "{format} {arguments:?}: {}", ended.stderr);
            }
        }
    }
    // However the format is said.
    for arguments in [
        &["-fsh", "--x"][..],
        &["--format=SH", "--x"],
        &["--x", "-f", "bash"],
        &["-eA=f", "-f=sh", "--x"],
    ] {
        assert_eq!(exported(&local, arguments, &[]).stdout, "(exit 64)\n", "{arguments:?}");
    }
    assert_eq!(exported(&local, &["--x"], &[("VAULTLET_FORMAT", "sh")]).stdout, "(exit 64)\n");
    for (arguments, text) in
        [(&[][..], "`--format` is missing"), (&["-f", "csv"], "`--format` is not `dotenv`")]
    {
        let ended = exported(&local, arguments, &[]);
        assert_eq!((ended.code, ended.stdout.as_str()), (64, ""));
        assert!(ended.stderr.contains(text), "{}", ended.stderr);
    }
}

#[test]
fn a_shell_that_evaluates_a_failure_fails() {
    let local = local();
    for reader in readers::shells() {
        let script = "set -e; eval \"$(\"$0\" export -f sh -e A=akv://job/nope)\"; echo survived";
        let mut shell = Command::new(reader.name);
        shell.args(["-c", script]).arg(vaultlet_tests::vaultlet());
        let ended = Ended::from(shell.envs(local.environment().iter().cloned()).output().unwrap());
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (66, ""),
            "{}: {}",
            reader.name,
            ended.stderr
        );
    }
}

/// A name of the environment may be anything, and what a shell reads could be a command.
#[test]
fn a_name_that_is_none_of_a_variable_is_refused() {
    let local = local();
    let others = ["dotenv", "fish", "powershell", "github"];
    let names = ["A-B", "A;touch x", "A B", "1A", "A$(id)", "é"];
    for (name, other) in names.into_iter().zip(others.into_iter().cycle()) {
        for format in ["sh", other] {
            let ended = exported(&local, &["-f", format], &[(name, "akv://job/short")]);
            let stdout = if format == "sh" { "(exit 65)\n" } else { "" };
            assert_eq!((ended.code, ended.stdout.as_str()), (65, stdout), "{format} {name}");
            assert!(ended.stderr.contains("(variable-refused)"), "{}", ended.stderr);
        }
        let ended = exported(&local, &["-f", "json"], &[(name, "akv://job/short")]);
        assert_eq!(ended.stdout, format!("{{\"{name}\":\"abc\"}}\n"), "{}", ended.stderr);
        // As a command has it, where it is no reference.
        let ended = exported(&local, &["-f", "sh"], &[(name, "x")]);
        assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{}", ended.stderr);
    }
}

/// Values, of which readers of env files have their own understanding; none is a reference.
const VALUES: &[&str] = &[
    "",
    " ",
    "plain",
    "a b",
    " a ",
    "a\tb",
    "#a",
    "a #b",
    "a=b",
    "it's",
    "\"",
    "'",
    "''",
    "\\",
    "a\\b\\n",
    "`id`",
    "$HOME ${HOME} $(id) $$ $1",
    "!! !x",
    "*?[a]{b,c}~",
    "a&b|c;d<e>f(g)",
    "%PATH% %41 ^x",
    "é 漢字 🔑 \u{2018}\u{2019}",
    "{\"a\": \"b\\\"c\"}",
    "1\n2",
    "\n",
    "\n\n a\n",
    "-----BEGIN X-----\nMIIB+/=\n-----END X-----\n",
    "a\rb\r\nc\r",
    "\u{1}\u{7}\u{1b}[31m\u{7f}",
    "EOF\n$env:X = 1\nA<<B",
    "a\\",
    "\\\\server\\share",
    "\"it's\" \\ $HOME",
    "it's $HOME",
    "'\\\"",
    VALUE,
];

/// Writes the values as variables `V0`, `V1`, … in this format into a file.
fn written(local: &Local, format: &str, file: &Path) {
    let mut arguments = vec!["-f".to_owned(), format.to_owned()];
    for (number, value) in VALUES.iter().enumerate() {
        arguments.extend(["-e".to_owned(), format!("V{number}={value}")]);
    }
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let ended = exported(local, &arguments, &[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    fs::write(file, ended.stdout).unwrap();
}

/// Compares what a reader has with the values for which it must have them.
fn check(reader: &Reader, file: &Path, is_known: impl Fn(&str) -> bool) {
    let found = reader.read(file, VALUES.len());
    for (value, found) in VALUES.iter().zip(found).filter(|(value, _)| is_known(value)) {
        assert_eq!(String::from_utf8_lossy(&found), **value, "{}", reader.name);
    }
}

#[test]
fn shells_have_the_values() {
    let (local, folder) = (local(), tempfile::tempdir().unwrap());
    let file = folder.path().join("export");
    written(&local, "sh", &file);
    for shell in readers::shells() {
        check(&shell, &file, |_| true);
    }
    if let Some(fish) = readers::fish() {
        written(&local, "fish", &file);
        check(&fish, &file, |_| true);
    }
    // Bytes that are no text are those of a POSIX shell's variables, too.
    let mut bytes = command(&local, &["export", "-f", "sh", "-e"]);
    bytes.arg(std::os::unix::ffi::OsStrExt::from_bytes(b"V0=\xff'\x80") as &std::ffi::OsStr);
    fs::write(&file, bytes.output().unwrap().stdout).unwrap();
    for shell in readers::shells() {
        assert_eq!(shell.read(&file, 1), [b"\xff'\x80"], "{}", shell.name);
    }
}

#[test]
fn readers_of_env_files_have_the_values() {
    let (local, folder) = (local(), tempfile::tempdir().unwrap());
    let file = folder.path().join("job.env");
    written(&local, "dotenv", &file);
    // Our own: each value without exception.
    let script = "import os, sys; [sys.stdout.buffer.write(os.environb[b'V%d' % i] + b'\\0') for i in range(int(sys.argv[1]))]";
    let count = VALUES.len().to_string();
    let arguments =
        ["run", "--env-file", file.to_str().unwrap(), "--", "python3", "-c", script, &count];
    let output = command(&local, &arguments).output().unwrap();
    let expected: Vec<u8> = VALUES.iter().flat_map(|value| value.bytes().chain([0])).collect();
    assert!(output.status.success() && output.stdout == expected, "{output:?}");
    let readers = readers::dotenv();
    if let Some(python) = readers.python {
        check(&python, &file, |_| true);
    }
    for node in readers.node {
        // It knows no escapes but those of line ends.
        check(&node, &file, |value| {
            let is_single = !value.contains(['\'', '\r']) && !value.contains(r"\\");
            is_single || !value.contains(['"', '\\', '\r', '#'])
        });
    }
}

#[test]
fn json_has_the_values() {
    let (local, folder) = (local(), tempfile::tempdir().unwrap());
    let file = folder.path().join("values.json");
    written(&local, "json", &file);
    let found: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    for (number, value) in VALUES.iter().enumerate() {
        assert_eq!(found.get(format!("V{number}")).unwrap(), value);
    }
}

/// Reads a file as GitHub's runner does:
/// <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#multiline-strings>
fn read_github(text: &str) -> Vec<(String, String)> {
    let mut lines = text.split_inclusive('\n');
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let (name, end) = line.trim_end().split_once("<<").unwrap();
        let value: String =
            lines.by_ref().take_while(|line| line.trim_end_matches('\n') != end).collect();
        found.push((name.to_owned(), value.strip_suffix('\n').unwrap().to_owned()));
    }
    found
}

#[test]
fn github_has_the_values_and_masks_each_line_of_a_secret() {
    let (local, folder) = (local(), tempfile::tempdir().unwrap());
    let file = folder.path().join("github-env");
    written(&local, "github", &file);
    let found = read_github(&fs::read_to_string(&file).unwrap());
    let found: std::collections::BTreeMap<_, _> = found.into_iter().collect();
    for (number, value) in VALUES.iter().enumerate() {
        assert_eq!(found.get(&format!("V{number}")).unwrap(), value);
    }
    // With the runner's file, that has the variables, and stdout the masks.
    let path = file.to_str().unwrap();
    let arguments = [
        "-f",
        "github",
        "-e",
        "L=akv://job/lines",
        "-e",
        "P=plain-text",
        "-e",
        "S=akv://job/db-password",
    ];
    let masks = format!(
        "::add-mask::first line of it\n::add-mask::'third' \"line\" %2525\n::add-mask::{}\n",
        VALUE.replace('%', "%25")
    );
    let expected = [("L", LINES), ("P", "plain-text"), ("S", VALUE)];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    fs::write(&file, "BEFORE=1\n").unwrap();
    let ended = exported(&local, &arguments, &[("GITHUB_ENV", path)]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, masks.as_str()), "{}", ended.stderr);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(read_github(text.strip_prefix("BEFORE=1\n").unwrap()), expected);
    // Appended to that file by a shell: the masks are for the log all the same.
    fs::write(&file, "").unwrap();
    let mut to_file = command(&local, &[&["export"][..], &arguments].concat());
    let out = fs::OpenOptions::new().append(true).open(&file).unwrap();
    let output = to_file.env("GITHUB_ENV", path).stdout(out).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), masks);
    assert_eq!(read_github(&fs::read_to_string(&file).unwrap()), expected);
    // No end is used twice, so that no value can have it.
    let ends = [0, 1].map(|_| {
        let ended = exported(&local, &["-f", "github", "-e", "A=x"], &[]);
        ended.stdout.lines().last().unwrap().to_owned()
    });
    assert_ne!(ends[0], ends[1]);
    let ended = exported(&local, &arguments, &[("GITHUB_ENV", "/no/such/file")]);
    assert_eq!((ended.code, ended.stdout.as_str()), (69, ""), "{}", ended.stderr);
}
