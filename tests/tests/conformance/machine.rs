//! The files, programs and keys of a case that runs in the component.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use vaultlet_tests::case::{Case, Exchange, Kind};

use crate::keys::Keys;
use crate::native::arguments_match;

/// The plan's names of programs, and their names in `PATH`.
const COMMANDS: [(&str, &str); 3] =
    [("azure-cli", "az"), ("azure-developer-cli", "azd"), ("azure-powershell", "pwsh")];

/// A program that records its arguments and variables and prints what the case says.
const PROGRAM: &str = r#"#!/bin/sh
n=1
while [ -e "<dir>/asked/<command>.$n" ]; do n=$((n+1)); done
for argument in "$@"; do printf '%s\n' "$argument"; done > "<dir>/asked/<command>.$n"
/usr/bin/env > "<dir>/asked/<command>.$n.env"
[ ! -e "<dir>/answers/<command>.$n.never" ] || read -r _ < "<dir>/answers/<command>.$n.never"
/bin/cat "<dir>/answers/<command>.$n.out" || exit 99
/bin/cat "<dir>/answers/<command>.$n.err" >&2
exit "$(/bin/cat "<dir>/answers/<command>.$n.exit")"
"#;

/// A folder with everything that a case finds on its machine; dropping it deletes the folder.
pub(crate) struct Machine {
    folder: TempDir,
}

impl Machine {
    /// An empty machine.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["asked", "answers", "bin"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    /// The folder that `<dir>` stands for.
    pub(crate) fn dir(&self) -> String {
        self.folder.path().to_str().unwrap().to_owned()
    }

    /// Installs the files, programs and keys of a case.
    pub(crate) fn furnish(&self, case: &Case) -> Result<(), String> {
        let kinds: Vec<Kind> = case.content.exchanges.iter().map(Exchange::kind).collect();
        if kinds.contains(&Kind::Key) {
            Keys::get().put(self.folder.path());
        }
        self.write(&case.content.files)?;
        let mut counts = BTreeMap::new();
        for (command, exchange) in programs(case).filter(|(_, exchange)| !exchange.missing) {
            let count = counts.entry(command).or_insert(0);
            *count += 1;
            let put = |part: &str, text: &str| {
                fs::write(self.at("answers", command, *count, part), text).unwrap();
            };
            put(".out", &exchange.stdout);
            put(".err", &exchange.stderr);
            put(".exit", &exchange.exit.to_string());
            if exchange.slow {
                // A pipe that nobody writes to.
                let never = self.at("answers", command, *count, ".never");
                assert!(Command::new("mkfifo").arg(never).status().unwrap().success());
            }
        }
        for command in counts.keys() {
            let path = self.folder.path().join("bin").join(command);
            let text = PROGRAM.replace("<dir>", &self.dir()).replace("<command>", command);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        }
        Ok(())
    }

    /// Writes files, all of which must be in the folder.
    pub(crate) fn write(&self, files: &BTreeMap<String, String>) -> Result<(), String> {
        for (path, text) in files {
            let path = Path::new(path);
            if !path.starts_with(self.folder.path()) {
                return Err(format!("{} is not in <dir>", path.display()));
            }
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Ok(())
    }

    /// Checks that the programs were run as the case says, and no others.
    pub(crate) fn right(&self, case: &Case) -> Result<(), String> {
        let mut counts = BTreeMap::new();
        for (command, exchange) in programs(case).filter(|(_, exchange)| !exchange.missing) {
            let count = counts.entry(command).or_insert(0);
            *count += 1;
            let asked = |part| fs::read_to_string(self.at("asked", command, *count, part));
            let given = asked("").map_err(|_| format!("not run: {command} ({count})"))?;
            let given: Vec<&str> = given.lines().collect();
            if !arguments_match(&given, &exchange.arguments) {
                return Err(format!("{command} ({count}) was run with: {given:?}"));
            }
            let has = asked(".env").unwrap_or_default();
            for (name, value) in &exchange.variables {
                if !has.lines().any(|line| line == format!("{name}={value}")) {
                    return Err(format!("{command} ({count}) was run without {name}={value}"));
                }
            }
        }
        let runs = fs::read_dir(self.folder.path().join("asked")).unwrap().count();
        let expected = counts.values().sum::<usize>() * 2;
        if runs > expected {
            return Err(format!("{} runs of programs were not expected", (runs - expected) / 2));
        }
        Ok(())
    }

    fn at(&self, folder: &str, command: &str, count: usize, part: &str) -> std::path::PathBuf {
        self.folder.path().join(folder).join(format!("{command}.{count}{part}"))
    }
}

/// The program runs in a case.
fn programs(case: &Case) -> impl Iterator<Item = (&'static str, &Exchange)> {
    case.content.exchanges.iter().filter_map(|exchange| {
        let name = exchange.program.as_deref()?.split('?').next()?;
        let (_, command) = COMMANDS.iter().find(|(known, _)| *known == name)?;
        Some((*command, exchange))
    })
}
