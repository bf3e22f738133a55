//! Programs that read variables from a text: shells, and libraries of env files.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Run, succeeds, target};

const PYTHON_DOTENV: &str = "python-dotenv==1.2.1";
const NODE_DOTENV: &str = "dotenv@17.4.2";

/// A program that reads a file of variables, and prints the values of those named `V0`, `V1`, …, each with a null
/// character after it.
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    /// The program and its arguments before the file.
    words: Vec<String>,
}

impl Reader {
    fn new(name: &'static str, words: &[&str]) -> Self {
        Self { name, words: words.iter().map(|word| (*word).to_owned()).collect() }
    }

    /// The values of that many variables.
    pub(crate) fn read(&self, file: &Path, count: usize) -> Vec<Vec<u8>> {
        let (program, arguments) = self.words.split_first().unwrap();
        let mut command = Command::new(program);
        command.args(arguments).arg(file).arg(count.to_string());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {stderr}", self.name);
        let mut values: Vec<_> =
            output.stdout.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
        assert_eq!(values.pop().as_deref(), Some(b"".as_slice()), "{}", self.name);
        assert_eq!(values.len(), count, "{}", self.name);
        values
    }
}

fn is_there(program: &str) -> bool {
    Run::program("sh").arguments(["-c", &format!("command -v {program}")]).end().code == 0
}

/// Prints the variables of this process.
const PRINT: &str = "import os, sys; [sys.stdout.buffer.write(os.environb[b'V%d' % i] + b'\\0') for i in range(int(sys.argv[1]))]";

/// The shells that are there.
pub(crate) fn shells() -> Vec<Reader> {
    let script = format!("eval \"$(cat \"$1\")\" && exec python3 -c \"{PRINT}\" \"$2\"");
    let shells = ["sh", "bash", "dash", "zsh", "ksh", "mksh", "yash", "busybox-sh"];
    let there = shells.into_iter().filter(|shell| is_there(shell));
    there.map(|shell| Reader::new(shell, &[shell, "-c", &script, shell])).collect()
}

pub(crate) fn fish() -> Option<Reader> {
    if !is_there("fish") {
        skipped("text", "`fish` is not there");
        return None;
    }
    let script = format!("cat $argv[1] | source; exec python3 -c \"{PRINT}\" $argv[2]");
    Some(Reader::new("fish", &["fish", "-c", &script]))
}

/// What reads env files.
pub(crate) struct Dotenv {
    pub(crate) python: Option<Reader>,
    /// The package `dotenv`, and Node by itself.
    pub(crate) node: Vec<Reader>,
}

pub(crate) fn dotenv() -> Dotenv {
    let python = installed("python3", PYTHON_DOTENV, |folder| {
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"];
        succeeds(Command::new("python3").args(pip).arg(folder).arg(PYTHON_DOTENV));
    });
    let python = python.map(|folder| {
        let script = format!(
            "import sys; sys.path.insert(0, {folder:?}); from dotenv import dotenv_values\n\
             found = dotenv_values(sys.argv[1], interpolate=False)\n\
             [sys.stdout.buffer.write(found['V%d' % i].encode() + b'\\0') for i in range(int(sys.argv[2]))]"
        );
        Reader::new("python-dotenv", &["python3", "-c", &script])
    });
    let node = installed("node", NODE_DOTENV, |folder| {
        let npm = ["install", "--silent", "--no-audit", "--no-fund", "--prefix"];
        succeeds(Command::new("npm").args(npm).arg(folder).arg(NODE_DOTENV));
    });
    let node = node.map(|folder| {
        let print = "for (let i = 0; i < process.argv[2]; i++) process.stdout.write(found[`V${i}`] + '\\0')";
        let package = folder.join("node_modules/dotenv");
        let read = "require('fs').readFileSync(process.argv[1])";
        let of_package = format!("const found = require({package:?}).parse({read}); {print}");
        let own = format!("const found = require('util').parseEnv({read}.toString()); {print}");
        [("dotenv of Node", of_package), ("Node", own)]
            .map(|(name, script)| Reader::new(name, &["node", "-e", &script]))
    });
    Dotenv { python, node: node.into_iter().flatten().collect() }
}

/// A folder with a package, which is installed where it is not; `None` where its interpreter is missing.
fn installed(tool: &str, package: &str, install: impl Fn(&Path)) -> Option<PathBuf> {
    if !is_there(tool) {
        skipped("text", &format!("`{tool}` is not there"));
        return None;
    }
    let folder = target().join("peers/dotenv").join(tool);
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let stamp = folder.join("stamp");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == package) {
        return Some(folder);
    }
    install(&folder);
    fs::write(stamp, package).unwrap();
    Some(folder)
}
