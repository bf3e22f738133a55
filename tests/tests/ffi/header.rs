//! What is promised to those who compile against it: the header is the source's, the symbols are those
//! of the golden list. `VAULTLET_BLESS=1` writes both anew.

use std::fs;
use std::path::Path;
use std::process::Command;

use vaultlet_tests::{library, root};

#[test]
fn the_header_is_that_of_the_source() {
    let ffi = root().join("host/ffi");
    let config = cbindgen::Config::from_file(ffi.join("cbindgen.toml")).unwrap();
    let mut made = Vec::new();
    cbindgen::Builder::new()
        .with_crate(&ffi)
        .with_config(config)
        .generate()
        .unwrap()
        .write(&mut made);
    let made = String::from_utf8(made).unwrap();
    assert!(made.contains("#define VAULTLET_ABI 1"), "{made}");
    same(&ffi.join("vaultlet.h"), &made);
}

#[test]
fn the_symbols_are_those_of_the_list() {
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(library()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut symbols: Vec<_> =
        text.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    symbols.sort_unstable();
    same(&root().join("tests/golden/symbols.txt"), &(symbols.join("\n") + "\n"));
}

fn same(golden: &Path, made: &str) {
    if std::env::var("VAULTLET_BLESS").is_ok_and(|v| v == "1") {
        fs::write(golden, made).unwrap();
    }
    let found = fs::read_to_string(golden).unwrap_or_default();
    assert!(found == made, "{} is not what the source makes; it makes:\n{made}", golden.display());
}
