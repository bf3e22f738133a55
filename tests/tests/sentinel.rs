//! The value of a secret is where the command was given it, and nowhere else: not in a file, a log, a command
//! line, what another user sees of the processes, or what was captured of the output.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use vaultlet_dev::Local;
use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Ended, vaultlet};

const SENTINEL: &str = "s3ntinel-Xq9vLk2MzB7w";
const USER: [&str; 3] = ["--reuid=61472", "--regid=61472", "--clear-groups"];

fn holds(bytes: &[u8]) -> bool {
    bytes.windows(SENTINEL.len()).any(|window| window == SENTINEL.as_bytes())
}

/// Regular files below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(data) = path.symlink_metadata() else { continue };
        match data.is_dir() {
            true => files(&path, found),
            false => found.extend(data.is_file().then_some(path)),
        }
    }
}

/// What `/proc` has of one kind (`cmdline`, `environ`) of all processes, with their ids.
fn of_processes(what: &str) -> Vec<(u32, Vec<u8>)> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|it| it.file_name().to_str()?.parse().ok());
    ids.filter_map(|id: u32| Some((id, fs::read(format!("/proc/{id}/{what}")).ok()?))).collect()
}

/// The processes that descend from one.
fn family(of: u32) -> BTreeSet<u32> {
    let mut family = BTreeSet::from([of]);
    loop {
        let before = family.len();
        for (id, stat) in of_processes("stat") {
            let stat = String::from_utf8_lossy(&stat).into_owned();
            let parent = stat.rsplit(") ").next().and_then(|it| it.split(' ').nth(1)?.parse().ok());
            if parent.is_some_and(|parent: u32| family.contains(&parent)) {
                family.insert(id);
            }
        }
        if family.len() == before {
            return family;
        }
    }
}

/// The files that were opened for writing, made or renamed, by the log of `strace`.
fn written(log: &str) -> BTreeSet<PathBuf> {
    let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "rename", "link"];
    let lines = log.lines().filter(|line| writes.iter().any(|it| line.contains(it)));
    let lines = lines.filter(|line| !line.contains("= -1 "));
    lines.flat_map(|line| line.split('"').skip(1).step_by(2)).map(PathBuf::from).collect()
}

#[test]
fn a_secret_is_nowhere_but_in_the_intended_places() {
    let local = Local::builder().seed("s", SENTINEL).start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    let trace = folder.path().join("trace");
    let has_strace = Command::new("strace").args(["-f", "true"]).output();
    let has_strace = has_strace.is_ok_and(|output| output.status.success());
    if !has_strace {
        skipped("a_secret_is_nowhere_but_in_the_intended_places", "there is no `strace` (a part)");
    }
    let ways: [&[&str]; 4] =
        [&[], &["--no-masking"], &["--watch", "--interval", "0.1"], &["--lend", "--drop-identity"]];
    for way in ways {
        // It prints its secret, waits to be looked at, and ends when its input does.
        let script = "echo \"$S\" | cat; test -n \"$ERRORS\" && echo \"$S\" >&2; echo $F; echo ready; read -r a; exit 3";
        let mut command = Command::new(if has_strace { "strace" } else { "env" });
        if has_strace {
            let calls = "trace=open,openat,creat,rename,renameat,renameat2,link,linkat";
            command.args(["-f", "-qq", "-e", calls, "-o"]).arg(&trace);
        }
        command.arg(vaultlet()).args(["run", "--log", "debug"]).args(way);
        command.args([
            "-e",
            "S=akv://job/s",
            "-e",
            "F=akv://job/s?as=file",
            "-e",
            "D=akv://job/s?as=fd",
        ]);
        command.args(["--", "sh", "-c", script]).current_dir(&home).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.envs(local.environment().iter().cloned());
        for name in ["HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"] {
            command.env(name, &home);
        }
        let is_masked = !way.contains(&"--no-masking");
        if is_masked {
            command.env("ERRORS", "too");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line| line != "ready") {
            let mut line = String::new();
            assert_ne!(out.read_line(&mut line).unwrap(), 0, "{lines:?}");
            lines.push(line.trim_end().to_owned());
        }
        let family = family(child.id());
        for (id, line) in of_processes("cmdline") {
            assert!(
                id == std::process::id() || !holds(&line),
                "{id}: {}",
                String::from_utf8_lossy(&line)
            );
        }
        // The command has it in its environment, which no other user reads; nobody else of the family has it.
        let mut holders = Vec::new();
        for (id, environment) in of_processes("environ") {
            if family.contains(&id) && holds(&environment) {
                holders.push(id);
            }
        }
        assert!(!holders.is_empty(), "the scan finds nothing");
        for id in &holders {
            let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap();
            assert!(["sh\n", "cat\n"].contains(&name.as_str()), "{name}");
        }
        for id in &family {
            for what in ["environ", "mem", "fd"] {
                let path = format!("/proc/{id}/{what}");
                let read = Command::new("setpriv")
                    .args(USER)
                    .args(["sh", "-c", "cat \"$0\"/* \"$0\"", &path])
                    .output();
                match read {
                    Ok(read) => assert!(!holds(&read.stdout), "another user reads {path}"),
                    Err(_) => skipped(
                        "a_secret_is_nowhere_but_in_the_intended_places",
                        "there is no `setpriv`",
                    ),
                }
            }
        }
        let file = PathBuf::from(lines.get(lines.len() - 2).unwrap());
        let data = fs::metadata(&file).unwrap();
        assert_eq!((data.mode() & 0o777, data.uid()), (0o600, rustix::process::geteuid().as_raw()));
        assert!(holds(&fs::read(&file).unwrap()), "the scan finds nothing");
        let mut others = Vec::new();
        files(folder.path(), &mut others);
        let beside = fs::read_dir(file.parent().unwrap()).unwrap().flatten().map(|it| it.path());
        others.extend(beside.filter(|it| *it != file));
        for other in others {
            assert!(!holds(&fs::read(&other).unwrap()), "{}", other.display());
        }
        drop(input);
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        let ended = Ended::from(child.wait_with_output().unwrap());
        assert_eq!(ended.code, 3, "{}", ended.stderr);
        assert!(
            !holds(ended.stderr.as_bytes()) && ended.stderr.contains("GET"),
            "{}",
            ended.stderr
        );
        let captured = lines.concat() + &rest;
        assert_eq!(holds(captured.as_bytes()), !is_masked, "{captured}");
        assert!(!file.parent().unwrap().exists());
        if has_strace {
            let of_it = written(&fs::read_to_string(&trace).unwrap());
            assert!(of_it.contains(&file), "the trace has no {}: {of_it:?}", file.display());
            for path in of_it.iter().filter(|path| !path.starts_with(file.parent().unwrap())) {
                let Ok(data) = fs::metadata(path) else { continue };
                let is_device = data.file_type().is_char_device() || data.file_type().is_fifo();
                let is_of_proc = path.starts_with("/proc");
                assert!(
                    is_device || is_of_proc || data.is_dir() || !holds(&fs::read(path).unwrap()),
                    "{}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn files_of_an_owner_that_was_killed_are_removed_by_the_next() {
    let local = Local::builder().seed("s", SENTINEL).start().unwrap();
    let start = |script: &str| {
        let mut command = Command::new(vaultlet());
        command.args(["run", "-e", "F=akv://job/s?as=file", "--", "sh", "-c", script]).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.envs(local.environment().iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
    };
    let first_line = |child: &mut std::process::Child| {
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        PathBuf::from(line.trim_end())
    };
    let mut killed = start("echo $F; read -r a");
    let left = first_line(&mut killed);
    let mut living = start("echo $F; read -r a");
    let kept = first_line(&mut living);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(holds(&fs::read(&left).unwrap()), "nothing was left behind");
    assert!(
        left.parent().unwrap().starts_with("/dev/shm")
            || left.parent().unwrap().starts_with("/run")
    );
    let mut next = start("echo $F");
    let own = first_line(&mut next);
    next.wait().unwrap();
    assert!(!left.parent().unwrap().exists(), "{}", left.display());
    assert!(kept.exists() && own != kept, "the files of one that lives were removed");
    drop(living.stdin.take());
    living.wait().unwrap();
    assert!(!kept.parent().unwrap().exists() && !own.parent().unwrap().exists());
}
