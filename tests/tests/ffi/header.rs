//! The interface that programs are compiled against: the header is the one that cbindgen makes from the
//! source, and the symbols are those in the golden list. `VAULTLET_BLESS=1` updates both files.

use std::fs;
use std::path::Path;
use std::process::Command;

use vaultlet_tests::{library, root};

#[test]
fn the_header_is_generated_from_the_source() {
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
fn the_library_exports_the_symbols_in_the_golden_list() {
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
    assert!(
        found == made,
        "{} is out of date (VAULTLET_BLESS=1 updates it):\n{made}",
        golden.display()
    );
}
