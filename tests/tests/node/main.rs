//! The npm package `vaultlet`, built, packed and installed as its users install it.
//!
//! The package's own tests run in the installed package, with `node --test`. Where Node or npm is missing
//! these tests say so and are skipped, unless `VAULTLET_REQUIRE_PEERS=1`.

#![allow(
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod records;
#[path = "../python/wit.rs"]
mod wit;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use vaultlet_tests::agent::{has_options, runs_by_agent};
use vaultlet_tests::job::{VALUE, in_dev};
use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Run, environment, library, root, succeeds, target, vaultlet};

/// The folder has no other package, and npm runs no scripts.
#[test]
fn the_example_runs_where_only_the_package_is_installed() {
    let Some(packages) = packages() else { return };
    let folder = tempfile::tempdir_in(folder()).unwrap();
    install(packages, folder.path());
    let installed: Vec<_> = fs::read_dir(folder.path().join("node_modules"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != ".package-lock.json")
        .collect();
    let installed: BTreeSet<_> = installed.iter().filter_map(|name| name.to_str()).collect();
    assert_eq!(installed, BTreeSet::from(["@vaultlet", "vaultlet"]));
    let manifest = folder.path().join("node_modules/vaultlet/package.json");
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));

    let job = folder.path().join("job.mjs");
    fs::copy(root().join("host/node/examples/job.mjs"), &job).unwrap();
    let in_dev = |flags: &[&str]| {
        let ended = in_dev(flags, &["node".as_ref(), job.as_os_str()], &[]);
        ended.reveals_none_of(&[VALUE], true);
        ended
    };
    let ended = in_dev(&[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let last = format!("with a password of {} characters\n", VALUE.len());
    assert!(ended.stdout.ends_with(&last), "{}", ended.stdout);
    let by_agent = runs_by_agent(Run::program("node").arguments([&job]), VALUE);
    assert!(by_agent.stdout.ends_with(&last), "{}", by_agent.stdout);
    let options = folder.path().join("options.mjs");
    fs::write(&options, OPTIONS).unwrap();
    has_options(|| Run::program("node").arguments([&options]), VALUE);
    let denied = in_dev(&["--grant", "managed:none"]);
    assert_eq!((denied.code, denied.stdout.as_str()), (1, ""));
    assert!(denied.stderr.contains("Key Vault Secrets User"), "{}", denied.stderr);
}

#[test]
fn the_packages_own_tests_pass() {
    let Some(packages) = packages() else { return };
    let folder = folder().join("tests");
    let source = root().join("host/node/test");
    fs::create_dir_all(&folder).unwrap();
    for stale in entries(&folder).filter(|path| path.extension().is_some_and(|end| end == "mjs")) {
        fs::remove_file(stale).unwrap();
    }
    copy(&source, &folder);
    let lock = fs::read(source.join("package-lock.json")).unwrap();
    let stamp = folder.join("node_modules/stamp");
    if fs::read(&stamp).is_ok_and(|found| found == lock) {
        for name in ["vaultlet", "@vaultlet"] {
            let _ = fs::remove_dir_all(folder.join("node_modules").join(name));
        }
    } else {
        npm(&["ci", "--ignore-scripts"], &folder);
        fs::write(stamp, lock).unwrap();
    }
    install(packages, &folder);
    let full = std::env::var("VAULTLET_TEST_FULL").unwrap_or_default();
    let tests = entries(&folder).filter(|path| path.to_string_lossy().ends_with(".test.mjs"));
    let ended = Run::program("node")
        .arguments(["--test", "--expose-gc"])
        .arguments(tests)
        .environment([("VAULTLET_TEST_PROGRAM", vaultlet().as_os_str())])
        .environment([("VAULTLET_TEST_FULL", full)])
        .environment([("VAULTLET_TEST_TABLE", environment::path())])
        .end();
    ended.reveals_none_of(&[VALUE], true);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
}

/// Gives the handle an option for each variable that is set.
const OPTIONS: &str = r#"
import { Vaultlet } from "vaultlet";

const { env } = process;
try {
  const vaultlet = new Vaultlet({
    agent: env.OPTION_AGENT,
    agentTokenFile: env.OPTION_AGENT_TOKEN_FILE,
    agentFallback: env.OPTION_AGENT_FALLBACK,
    policy: env.OPTION_POLICY,
  });
  if ((await vaultlet.plan()).agent !== env.OPTION_AGENT) throw new Error("another agent");
  console.log((await vaultlet.get("akv://my-key-vault/db-password")).reveal());
} catch (error) {
  console.log(error.id ?? error);
}
"#;

/// The packed packages, made of the current sources; `None` where there is no Node or npm.
fn packages() -> Option<&'static [PathBuf]> {
    static PACKAGES: OnceLock<Option<Vec<PathBuf>>> = OnceLock::new();
    PACKAGES.get_or_init(pack).as_deref()
}

fn pack() -> Option<Vec<PathBuf>> {
    for tool in ["node", "npm"] {
        if Command::new(tool).arg("--version").output().is_err() {
            skipped("node", &format!("`{tool}` is not there"));
            return None;
        }
    }
    // Built together with the library for C, as are all libraries of the workspace.
    let library = library().with_file_name("libvaultlet_node.so");
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let addon = format!("linux-{arch}-gnu={}", library.display());
    let pack = root().join("host/node/pack.mjs");
    let packed = succeeds(Command::new("node").arg(pack).arg(folder()).arg(addon)).stdout;
    Some(packed.lines().map(PathBuf::from).collect())
}

/// The folder in which packages are made and installed.
fn folder() -> PathBuf {
    let folder = target().join("peers/node-package");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn install(packages: &[PathBuf], folder: &Path) {
    let packages = packages.iter().map(|package| package.to_str().unwrap());
    let install = ["install", "--no-save", "--offline", "--ignore-scripts"];
    npm(&install.into_iter().chain(packages).collect::<Vec<_>>(), folder);
}

fn npm(arguments: &[&str], folder: &Path) {
    let quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
    succeeds(Command::new("npm").args(arguments).args(quiet).current_dir(folder));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in entries(from) {
        let copied = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            fs::copy(path, copied).unwrap();
        }
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())
}
