//! `vaultlet completions` and `vaultlet man`: they have every command and flag of the help, and shells and readers of
//! manual pages take them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Ended, Run, vaultlet};

fn ended(arguments: &[&str]) -> Ended {
    let ended = Run::vaultlet(arguments).end();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{arguments:?}");
    ended
}

/// The commands, with those below them, as the help has them: each as the words that lead to it.
fn commands() -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    let mut at = 0;
    while let Some(command) = found.get(at).cloned() {
        let words: Vec<_> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = ended(&words).stdout;
        let listed = help.split_once("Commands:\n").map_or("", |(_, rest)| rest);
        let names = listed.lines().map_while(|line| line.strip_prefix("  "));
        let names =
            names.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next());
        for name in names.filter(|name| *name != "help") {
            found.push(command.iter().cloned().chain([name.to_owned()]).collect());
        }
        at += 1;
    }
    assert!(found.len() > 12, "{found:?}");
    found
}

/// The flags in the help of a command.
fn flags(command: &[String]) -> BTreeSet<String> {
    let words: Vec<_> = command.iter().map(String::as_str).chain(["--help"]).collect();
    let help = ended(&words).stdout;
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let words = lines.flat_map(|line| line.split([' ', ',', '=', '[']).take(3).collect::<Vec<_>>());
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

fn is_there(program: &str) -> bool {
    Run::program("sh").arguments(["-c", &format!("command -v {program}")]).end().code == 0
}

#[test]
fn every_script_has_every_command_and_flag() {
    let commands = commands();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = ended(&["completions", shell]).stdout;
        for command in &commands {
            for word in command.iter().cloned().chain(flags(command)) {
                let word = if shell == "fish" { word.trim_start_matches("--") } else { &word };
                assert!(script.contains(word), "{shell}: {command:?}: {word}");
            }
        }
    }
    assert_eq!(
        ended(&["completions", "PowerShell"]).stdout,
        ended(&["completions", "pwsh"]).stdout
    );
    let wrong = Run::vaultlet(["completions", "tcsh"]).end();
    assert_eq!(wrong.code, 64, "{}", wrong.stderr);
    assert!(wrong.stderr.contains(": SHELL: it is not `bash`"), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("`bash`") && wrong.stderr.contains("elvish"), "{}", wrong.stderr);
}

#[test]
fn shells_take_the_scripts_and_complete() {
    let folder = tempfile::tempdir().unwrap();
    let script = |shell: &str| {
        let path = folder.path().join(shell);
        fs::write(&path, ended(&["completions", shell]).stdout).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let run = |program: &str, arguments: &[&str]| {
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", vaultlet().parent().unwrap().display());
        Run::program(program).arguments(arguments).environment([("PATH", path)]).end()
    };
    // What bash offers after these words.
    let bash = script("bash");
    assert_eq!(run("bash", &["-n", &bash]).stderr, "");
    for (words, expected, not) in [
        ("vaultlet do", vec!["doctor"], "dev"),
        ("vaultlet doctor --bu", vec!["--bundle"], "--env-file"),
        ("vaultlet identity ''", vec!["serve"], "get"),
        ("vaultlet get -o ''", vec!["value", "json", "env"], "table"),
        ("vaultlet get --cloud ''", vec!["public", "china", "usgov"], "Cargo.toml"),
        ("vaultlet get --identity ''", vec!["managed-identity", "azure-cli"], "Cargo.toml"),
        ("vaultlet get --exclude ''", vec!["azure-cli"], "Cargo.toml"),
        ("vaultlet dev --identity-form ''", vec!["azure-ml", "azure-pipelines"], "Cargo.toml"),
        ("vaultlet run --on-change ''", vec!["restart", "exit"], "Cargo.toml"),
        ("vaultlet get --client-id ''", vec![], "Cargo.toml"),
        ("vaultlet get --ca-file ''", vec!["Cargo.toml"], "restart"),
        ("vaultlet completions ''", vec!["bash", "zsh", "fish", "powershell", "elvish"], "pwsh"),
    ] {
        let ask = format!(
            ". {bash}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _vaultlet vaultlet \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let ended = run("bash", &["-c", &ask]);
        let offered: Vec<_> = ended.stdout.lines().collect();
        for word in expected {
            assert!(offered.contains(&word), "{words}: {word}: {ended:?}");
        }
        assert!(!offered.contains(&not), "{words}: {ended:?}");
    }
    let (zsh, fish) = (script("zsh"), script("fish"));
    if is_there("zsh") {
        // zsh calls the function when it completes; here it is only defined.
        let load = format!(
            "autoload -U compinit && compinit -D && . {zsh} && whence -w _vaultlet && print $_comps[vaultlet]"
        );
        let ended = run("zsh", &["-f", "-c", &load]);
        let expected = (0, "_vaultlet: function\n_vaultlet\n", "");
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), expected);
    } else {
        skipped("completion in zsh", "zsh is not installed");
    }
    if is_there("fish") {
        let ask =
            format!("source {fish}; complete -C 'vaultlet do'; complete -C 'vaultlet doctor --bu'");
        let ended = run("fish", &["--no-config", "-c", &ask]);
        let offered: Vec<_> =
            ended.stdout.lines().filter_map(|line| line.split('\t').next()).collect();
        assert!(offered.contains(&"doctor") && offered.contains(&"--bundle"), "{ended:?}");
    } else {
        skipped("completion in fish", "fish is not installed");
    }
}

#[test]
fn every_command_has_a_page_that_readers_take() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    assert_eq!(ended(&["man", to]).stdout, "");
    let written: BTreeSet<_> = fs::read_dir(to)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let name = |command: &Vec<String>| {
        let words: Vec<_> =
            ["vaultlet"].into_iter().chain(command.iter().map(String::as_str)).collect();
        format!("{}.1", words.join("-"))
    };
    let commands = commands();
    assert_eq!(written, commands.iter().map(name).collect::<BTreeSet<_>>());
    for command in &commands {
        let path = folder.path().join(name(command));
        let page = fs::read_to_string(&path).unwrap();
        for flag in flags(command) {
            let escaped = flag.replace('-', "\\-");
            assert!(page.contains(&escaped), "{command:?}: {flag}");
        }
        check_page(&path);
    }
    let main = fs::read_to_string(folder.path().join("vaultlet.1")).unwrap();
    assert_eq!(ended(&["man"]).stdout, main);
    // Each example is a line of its own.
    let page = fs::read_to_string(folder.path().join("vaultlet-doctor.1")).unwrap();
    let (_, examples) = page.split_once(".SH EXAMPLES\n.nf\n").unwrap();
    assert!(
        examples.lines().any(|line| line == r"vaultlet doctor \-\-env\-file job.env"),
        "{page}"
    );
    let nowhere = Run::vaultlet(["man", "/dev/null/folder"]).end();
    assert_eq!(nowhere.code, 69, "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("`/dev/null/folder`"), "{}", nowhere.stderr);
}

/// Fails if a reader of manual pages finds something wrong with a page.
fn check_page(path: &Path) {
    if !is_there("mandoc") {
        return skipped("manual pages", "mandoc is not installed");
    }
    let lint = ["-T", "lint", "-W", "error", path.to_str().unwrap()];
    let ended = Run::program("mandoc").arguments(lint).end();
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{path:?}");
}

#[test]
fn a_folder_for_the_pages_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("share/man/man1");
    ended(&["man", deep.to_str().unwrap()]);
    assert!(deep.join("vaultlet-get.1").is_file());
}

/// A script whose variable with the command is empty fails.
#[test]
fn a_command_that_is_missing_is_an_error() {
    for command in ["job", "identity"] {
        let without = Run::vaultlet([command]).end();
        let help = ended(&[command, "--help"]);
        assert_eq!((without.code, without.stdout.as_str()), (64, ""), "{without:?}");
        assert!(without.stderr.contains("Usage:") && help.stdout.contains("Usage:"), "{without:?}");
    }
}
