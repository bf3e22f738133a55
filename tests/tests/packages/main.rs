//! The packages of a release, made by `host/package`: each is installed into an empty environment without
//! a network, and runs its example with the managed identity and on behalf of the user.
//!
//! A test whose tool is missing is skipped, or fails with `VAULTLET_REQUIRE_PEERS=1`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod c;
mod distributions;
mod homebrew;
mod image;
mod java;
mod lands;
mod maven;
mod modules;
mod musl;
mod platforms;
mod repositories;
mod userlands;
mod verify;
mod wheel;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use vaultlet_tests::job::{VALUE, in_dev};
use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Ended, builds, root, succeeds, vaultlet};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The parts of `host/package`, each with the tools that it needs besides cargo.
const PARTS: [(&str, &[&str]); 12] = [
    ("c", &["cmake", "cc", "c++", "pkg-config", "musl-gcc"]),
    ("python", &["python3", "musl-gcc"]),
    ("node", &["node", "npm"]),
    ("go", &["go"]),
    ("java", &["java", "javac", "mvn"]),
    ("component", &[]),
    ("crates", &[]),
    ("program", &["musl-gcc"]),
    ("deb", &["musl-gcc", "nfpm", "apt-ftparchive", "dpkg-deb", "busybox"]),
    ("rpm", &["musl-gcc", "nfpm", "createrepo_c", "rpm", "busybox"]),
    ("oci", &["musl-gcc", "python3", "skopeo", "umoci"]),
    ("brew", &["musl-gcc", "ruby"]),
];

#[test]
fn every_file_has_a_checksum_and_every_checksum_a_file() {
    let folder = packages();
    succeeds(
        Command::new("sha256sum")
            .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
            .current_dir(folder),
    );
    let sums = std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let summed: Vec<&str> = sums.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    for (part, tools) in PARTS {
        let named = summed.iter().any(|name| name.starts_with(&format!("{part}/")));
        assert_eq!(named, missing(tools).is_none(), "{part}: {sums}");
    }
    // The bills of materials of the library and the program in the C tarball.
    let bills: &[&str] =
        if missing(PARTS[0].1).is_none() { &["libvaultlet.so", "vaultlet"] } else { &[] };
    for name in bills {
        let bill = std::fs::read(folder.join(format!("{name}.cdx.json"))).unwrap();
        let bill: serde_json::Value = serde_json::from_slice(&bill).unwrap();
        assert_eq!(bill["bomFormat"], "CycloneDX");
        assert_eq!(bill["metadata"]["component"]["version"], VERSION);
        let parts = bill["components"].as_array().unwrap();
        assert!(parts.iter().any(|part| part["name"] == "wasmtime"), "{parts:?}");
    }
}

/// The folder of the packages, which are made once.
fn packages() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let possible = PARTS.iter().filter(|(_, tools)| missing(tools).is_none());
        let parts: Vec<&str> = possible.map(|(part, _)| *part).collect();
        let mut package = Command::new("bash");
        package.arg(root().join("host/package")).args(["--only", &parts.join(",")]);
        if full() {
            // Each takes minutes.
            let machine = std::env::consts::ARCH;
            package.args(["--platforms", &format!("{machine}-gnu,{machine}-musl")]);
        }
        succeeds(builds(&mut package));
        root().join("target/packages")
    })
}

/// Whether what takes minutes is tested, too.
fn full() -> bool {
    std::env::var("VAULTLET_TEST_FULL").is_ok_and(|value| value == "1")
}

/// The folder of one part; `None` if a tool is missing and the test is skipped.
fn part(name: &str) -> Option<PathBuf> {
    let (_, tools) = PARTS.iter().find(|(part, _)| *part == name).unwrap();
    if let Some(tool) = missing(tools) {
        skipped(name, &format!("`{tool}` is not installed"));
        return None;
    }
    Some(packages().join(name))
}

fn missing(tools: &[&'static str]) -> Option<&'static str> {
    tools.iter().copied().find(|tool| Command::new(tool).arg("--help").output().is_err())
}

/// The only file of a folder with this ending.
fn only(folder: &Path, ending: &str) -> PathBuf {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> =
        entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    assert_eq!(found.len(), 1, "*{ending} in {}: {found:?}", folder.display());
    found.remove(0)
}

/// Checks the output of an example with both identities, and that without permission it prints the
/// command line's error.
fn check_example(program: &[&OsStr], variables: &[(&str, &OsStr)], right: impl Fn(&str) -> bool) {
    for who in ["managed", "user"] {
        let ended = in_dev(&["--as", who], program, variables);
        assert_eq!(ended.code, 0, "{program:?} as {who}: {}", ended.stderr);
        assert!(right(&ended.stdout), "{program:?} as {who}: {}", ended.stdout);
        ended.reveals_none_of(&[VALUE], false);
    }
    let none = ["--grant", "managed:none"];
    let get = [vaultlet().as_os_str(), "get".as_ref(), "akv://my-key-vault/db-password".as_ref()];
    let result = help(&in_dev(&none, &get, &[]));
    let denied = in_dev(&none, program, variables);
    denied.reveals_none_of(&[VALUE], true);
    assert_ne!(denied.code, 0, "{program:?}");
    assert!(denied.stderr.contains(&result), "{program:?}: {} has no {result}", denied.stderr);
}

/// The remedy in the last line of the command line's errors.
fn help(ended: &Ended) -> String {
    let line = ended.stderr.lines().last().unwrap();
    assert!(line.contains("(vault-forbidden)"), "{line}");
    // The message has a request id, which differs in each run.
    line.rsplit_once("; ").map_or(line, |(_, help)| help).replace(" (vault-forbidden)", "")
}

/// Whether the output is exactly the password.
fn prints_it(stdout: &str) -> bool {
    stdout.trim_end() == VALUE
}
