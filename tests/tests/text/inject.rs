//! `vaultlet inject`: what is replaced, what is not, and the file that is written.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use vaultlet_dev::Local;
use vaultlet_tests::Ended;

use crate::{LINES, MEMBER, SECRETS, VALUE, command, fed, local};

/// Fills a template that comes on stdin.
fn filled(local: &Local, arguments: &[&str], template: &[u8]) -> (Ended, Vec<u8>) {
    let arguments: Vec<_> = ["inject"].iter().chain(arguments).copied().collect();
    let (ended, bytes) = fed(command(local, &arguments), template);
    ended.reveals_none_of(&SECRETS, false);
    (ended, bytes)
}

#[test]
fn references_are_replaced_and_all_other_bytes_stay() {
    let local = local();
    let host = "https://job.vault.azure.net";
    for (template, expected) in [
        ("", String::new()),
        ("no reference\r\n", "no reference\r\n".into()),
        ("a {{ akv://job/db-password }} b", format!("a {VALUE} b")),
        ("{{akv://job/db-password}}{{\takv://job/short\n}}", format!("{VALUE}abc")),
        ("{{ akv://job/db?json=/user }}", MEMBER.into()),
        ("{{ akv://job/lines }}", LINES.into()),
        ("[{{ akv://job/empty }}]", "[]".into()),
        ("{{ akv://job/nul }}", "a\0b".into()),
        // A value is no template.
        ("{{ akv://job/template }}", "{{ akv://job/db-password }}".into()),
        ("{{ @Microsoft.KeyVault(VaultName=job;SecretName=short) }}", "abc".into()),
        (&format!("{{{{ {host}/secrets/short }}}}"), "abc".into()),
        (&format!("{{{{ @microsoft.keyvault(SecretUri={host}/secrets/short/) }}}}"), "abc".into()),
        ("{{ @Microsoft.KeyVault(VaultName=job;SecretName=db)?json=/user }}", MEMBER.into()),
        ("{\"a\":{{ akv://job/short }}}", "{\"a\":abc}".into()),
    ] {
        let (ended, bytes) = filled(&local, &[], template.as_bytes());
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{template}");
        assert_eq!(bytes, expected.as_bytes(), "{template}");
    }
    // Other tools' texts, and bytes that are no text.
    for other in [
        "{{ user }} {{- .Values.x | quote -}} {% if x %} {{{ raw }}} ${{ secrets.X }} {{ \"akv://job/short\" }}",
        "{{ lookup('env', 'X') }} {{ https://example.com/x.png }} {{}} {{ }} {{ akv:job }} { { akv://job/short } }",
        "{{ akv",
    ] {
        let mut template = other.as_bytes().to_vec();
        template.extend(b"\xff\0\xfe{{ akv://job/short }}\n\xc3");
        let (ended, bytes) = filled(&local, &[], &template);
        let expected = [other.as_bytes(), b"\xff\0\xfeabc\n\xc3"].concat();
        assert_eq!((ended.code, bytes), (0, expected), "{}", ended.stderr);
    }
}

#[test]
fn a_vault_without_tls_is_read_where_it_is_allowed() {
    let local = local();
    let template = format!("{{{{ {}/secrets/short }}}}", local.vault("job").unwrap().http());
    let (ended, _) = filled(&local, &[], template.as_bytes());
    assert_eq!(ended.code, 65, "{}", ended.stderr);
    let (ended, bytes) = filled(&local, &["--allow-http-loopback"], template.as_bytes());
    assert_eq!((ended.code, bytes.as_slice()), (0, b"abc".as_slice()), "{}", ended.stderr);
}

#[test]
fn either_all_are_replaced_or_nothing_is_written() {
    let local = local();
    // A template, the exit code, and a line of stderr for each place.
    let cases: &[(&str, i32, &[&str])] = &[
        ("\n é {{ akv://job/nope }}", 66, &["stdin:2:4: reading secret `nope`"]),
        ("{{ akv://job/short }} {{ akv://job/off }}", 66, &["stdin:1:23: "]),
        (
            "{{ akv://job/denied }}\n{{ akv://job/nope }}{{ akv://job/denied }}",
            77,
            &["stdin:1:1: ", "stdin:2:1: ", "stdin:2:21: "],
        ),
        ("{{ akv://job/db?json=/x }}", 65, &["stdin:1:1: "]),
        ("{{ akv://job/a_b }}\n{{ akv://job }}", 65, &["stdin:1:1: ", "stdin:2:1: "]),
        ("{{ akv://job/short", 65, &["the `}}` after it is missing"]),
        ("{{ akv://job/short {{ user }}", 65, &["the `}}` after it is missing"]),
        ("{{ akv://job/short | upper }}", 65, &["stdin:1:1: "]),
        ("{{ akv://job/short?as=file }}", 65, &["stdin:1:1: "]),
        ("{{ akv://job/short?as=env }}", 65, &["stdin:1:1: "]),
        ("{{ akv://job/short?optional }}", 65, &["stdin:1:1: "]),
        ("{{ akv://job/nope?default=x }}", 65, &["stdin:1:1: "]),
        ("{{ @Microsoft.KeyVault(VaultName=job) }}", 65, &["stdin:1:1: "]),
        ("{{ https://job.vault.azure.net/keys/x }}", 65, &["stdin:1:1: "]),
    ];
    for (template, code, lines) in cases {
        let (ended, bytes) = filled(&local, &[], template.as_bytes());
        assert_eq!((ended.code, bytes.as_slice()), (*code, b"".as_slice()), "{template}");
        assert_eq!(ended.stderr.lines().count(), lines.len(), "{template}: {}", ended.stderr);
        for (line, said) in lines.iter().zip(ended.stderr.lines()) {
            assert!(said.starts_with("vaultlet: ") && said.contains(line), "{template}: {said}");
        }
    }
}

#[test]
fn one_secret_is_read_once_however_often_it_is_wanted() {
    let local = local();
    let template = "{{ akv://job/db }}{{ akv://job/db?json=/user }}{{ AKV://JOB/db?json=/n }}{{ akv://job/db }}";
    let (ended, _) = filled(&local, &[], template.as_bytes());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(local.counters().operation("get", 200), 1);
}

/// Runs `inject` in a folder with a template `in`.
fn in_folder(local: &Local, folder: &Path, arguments: &[&str]) -> Ended {
    let arguments: Vec<_> = ["inject"].iter().chain(arguments).copied().collect();
    let mut command = command(local, &arguments);
    let ended = Ended::from(command.current_dir(folder).output().unwrap());
    ended.reveals_none_of(&SECRETS, false);
    ended
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name());
    let mut names: Vec<_> = names.map(|it| it.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_replaced_in_one_step_and_is_for_its_owner_alone() {
    let (local, folder) = (local(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    let at = |name: &str| folder.join(name);
    fs::write(at("in"), "{{ akv://job/short }}").unwrap();
    // A new file, an old one that others may read, and one that others hold open.
    fs::write(at("old"), "old").unwrap();
    fs::set_permissions(at("old"), PermissionsExt::from_mode(0o666)).unwrap();
    let open = fs::File::open(at("old")).unwrap();
    for out in ["new", "./old", "in"] {
        let ended = in_folder(&local, folder, &["--in-file", "in", "--out-file", out]);
        assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{out}: {}", ended.stderr);
        assert_eq!(fs::read_to_string(at(out)).unwrap(), "abc", "{out}");
        assert_eq!(mode(&at(out)), 0o600, "{out}");
    }
    assert_eq!(std::io::read_to_string(open).unwrap(), "old");
    assert_eq!(names(folder), ["in", "new", "old"]);
    // Links stay, and lead to the new file.
    fs::write(at("in"), "{{ akv://job/short }}").unwrap();
    fs::create_dir(at("sub")).unwrap();
    fs::write(at("sub/target"), "old").unwrap();
    symlink("target", at("sub/link")).unwrap();
    symlink("sub/link", at("link")).unwrap();
    symlink("sub/nothing", at("dangling")).unwrap();
    for (link, target) in [("link", "sub/target"), ("dangling", "sub/nothing")] {
        let ended = in_folder(&local, folder, &["-i", "in", "-o", link]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(at(target)).unwrap(), "abc");
        assert_eq!(mode(&at(target)), 0o600);
    }
    assert_eq!(names(&at("sub")), ["link", "nothing", "target"]);
    // A device is written to, and stays.
    let ended = in_folder(&local, folder, &["-i", "in", "-o", "/dev/null"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    let ended = in_folder(&local, folder, &["-i", "in", "-o", "/dev/stdout"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "abc"), "{}", ended.stderr);
    let ended = in_folder(&local, folder, &["-i", "in", "-o", "-"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "abc"), "{}", ended.stderr);
}

#[test]
fn a_failure_leaves_the_old_file_and_nothing_else() {
    let (local, folder) = (local(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    fs::write(folder.join("in"), "{{ akv://job/nope }}").unwrap();
    fs::write(folder.join("good"), "{{ akv://job/short }}").unwrap();
    fs::write(folder.join("old"), "old").unwrap();
    fs::create_dir(folder.join("sub")).unwrap();
    symlink("loop", folder.join("loop")).unwrap();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["-i", "in", "-o", "old"], 66, "vaultlet: in:1:1: "),
        (&["-i", "missing", "-o", "old"], 78, "(in-file)"),
        (&["-i", "sub", "-o", "old"], 78, "(in-file)"),
        (&["-i", "good", "-o", "sub"], 69, "(output-failed)"),
        (&["-i", "good", "-o", "nowhere/x"], 69, "(output-failed)"),
        (&["-i", "good", "-o", "loop"], 69, "(output-failed)"),
        (&["-i", "good", "-o", "/dev/full"], 69, "(output-failed)"),
        (&["-i", "good", "-o", "/proc/x"], 69, "(output-failed)"),
        (&["good"], 64, "unexpected argument"),
    ];
    for (arguments, code, text) in cases {
        let ended = in_folder(&local, folder, arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (*code, ""), "{arguments:?}");
        assert!(ended.stderr.contains(text), "{arguments:?}: {}", ended.stderr);
    }
    assert_eq!(fs::read_to_string(folder.join("old")).unwrap(), "old");
    assert_eq!(names(folder), ["good", "in", "loop", "old", "sub"]);
}

#[test]
fn a_signal_while_it_waits_ends_it_and_leaves_nothing() {
    use std::process::{Command, Stdio};
    let (local, folder) = (local(), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("old"), "old").unwrap();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        // Nothing comes on its standard input, so that it waits. Whoever runs the tests may ignore signals.
        let inject = command(&local, &["inject", "-o", "old"]);
        let mut command = Command::new("env");
        command.arg("--default-signal").arg(inject.get_program()).args(inject.get_args());
        command.envs(inject.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut child = command
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        // It has blocked its signals, or has not: they end it in either case.
        let kill = ["-s", signal, &child.id().to_string()].map(str::to_owned);
        assert!(Command::new("kill").args(kill).status().unwrap().success());
        let ended = Ended::from(child.wait_with_output().unwrap());
        assert_eq!(ended.code, code, "{}", ended.stderr);
        drop(stdin);
    }
    assert_eq!(names(folder.path()), ["old"]);
    assert_eq!(fs::read_to_string(folder.path().join("old")).unwrap(), "old");
}

#[test]
fn a_template_has_a_greatest_size() {
    use std::process::Stdio;
    let local = local();
    let mut command = command(&local, &["inject"]);
    command.stdin(fs::File::open("/dev/zero").unwrap()).stdout(Stdio::piped());
    let ended = Ended::from(command.stderr(Stdio::piped()).output().unwrap());
    assert_eq!((ended.code, ended.stdout.as_str()), (78, ""));
    assert!(ended.stderr.contains("larger than 64 MiB"), "{}", ended.stderr);
}

/// Whoever opened the file goes on with it.
#[test]
fn what_a_descriptor_is_open_for_is_written_to_and_not_replaced() {
    let local = local();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t"), "{{ akv://job/short }}\n").unwrap();
    for (script, expected) in [
        ("vaultlet inject -i t -o /dev/stdout >>out", "old\nabc\n"),
        ("vaultlet inject -i t -o /dev/fd/1 >>out", "old\nabc\n"),
        ("vaultlet inject -i t -o /proc/self/fd/1 >>out", "old\nabc\n"),
        ("vaultlet inject -i t -o /dev/stderr 2>>out", "old\nabc\n"),
        ("ln -s /dev/stdout link; vaultlet inject -i t -o link >>out", "old\nabc\n"),
        ("(echo a; vaultlet inject -i t -o /dev/stdout; echo b) >out", "a\nabc\nb\n"),
        // It has no place in the file for a program that opens it anew.
        (
            "vaultlet inject -i t -o /dev/fd/5 5>>out 2>told; cut -c -40 told >>out",
            "old\nvaultlet: writing `/dev/fd/5`: it is an \n",
        ),
    ] {
        fs::write(folder.path().join("out"), "old\n").unwrap();
        let program = vaultlet_tests::vaultlet().display();
        let mut shell = std::process::Command::new("bash");
        shell.arg("-c").arg(format!("vaultlet() {{ {program} \"$@\"; }}; {script}"));
        shell.envs(local.environment().iter().cloned()).current_dir(folder.path());
        assert!(shell.status().is_ok(), "{script}");
        assert_eq!(fs::read_to_string(folder.path().join("out")).unwrap(), expected, "{script}");
    }
}
