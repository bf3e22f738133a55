//! Homebrew's formula: its steps, by a Ruby that knows as much of Homebrew's language as the formula uses.

use std::process::Command;

use tempfile::TempDir;
use vaultlet_tests::{root, succeeds};

use super::{VERSION, packages, part};

#[test]
fn the_formula_installs_the_program_with_its_pages_and_completions() {
    let Some(folder) = part("brew") else { return };
    let (prefix, formula) = (TempDir::new().unwrap(), folder.join("vaultlet.rb"));
    let text = std::fs::read_to_string(&formula).unwrap();
    assert!(text.contains(&format!("version \"{VERSION}\"\n")), "{text}");
    let mut ruby = Command::new("ruby");
    ruby.arg(root().join("tests/tests/packages/formula.rb")).arg(&formula);
    ruby.arg(packages().join("program")).arg(prefix.path()).arg(std::env::consts::ARCH);
    succeeds(&mut ruby);
    for name in ["bin/vaultlet", "share/man/man1/vaultlet-get.1", "bash", "zsh", "fish"] {
        assert!(prefix.path().join(name).metadata().unwrap().len() > 0, "{name}");
    }
}
