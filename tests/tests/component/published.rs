//! The interfaces and the component, published by `wkg` with their provenance and read back: the
//! interfaces from a registry in a folder, the component from an OCI registry on loopback.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::Value;
use vaultlet_tests::guests::provenance;
use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::stock::component;
use vaultlet_tests::{Run, root, vaultlet};
use wasmparser::{Parser, Payload};

use crate::registry::{Registry, sha256};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const SOURCE: &str = "https://vaultlet.test/vaultlet.git";
const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn the_interfaces_are_published_and_read_back() {
    let Some(release) = Release::new() else { return };
    let folder = release.folder.path();
    fs::create_dir(folder.join("registry")).unwrap();
    let registry = Value::from(folder.join("registry").to_str().unwrap());
    let config = format!(
        "default_registry = \"local.test\"\n[registry.\"local.test\"]\ntype = \"local\"\n\
         [registry.\"local.test\".local]\nroot = {registry}\n"
    );
    fs::write(folder.join("config.toml"), config).unwrap();
    let wit = root().join("wit");
    let shared = ["--config", "config.toml", "--cache", "cache"];
    release.wkg(&["build", "--wit-dir", wit.to_str().unwrap(), "-o", "keyvault.wasm"], &shared);
    release.wkg(&["publish", "keyvault.wasm"], &shared);
    let package = format!("vaultlet:keyvault@{VERSION}");
    release.wkg(&["get", &package, "--format", "wasm", "-o", "./back.wasm"], &shared);
    let (sent, back) = (release.read("keyvault.wasm"), release.read("back.wasm"));
    assert!(sent == back, "the published bytes have changed");
    says_where_it_comes_from(&back);

    release.wkg(&["get", &package, "--format", "wit", "-o", "./back.wit"], &shared);
    let text = String::from_utf8(release.read("back.wit")).unwrap();
    for known in ["interface secrets", "interface simple", "world consumer", "world provider"] {
        assert!(text.contains(known), "{known}");
    }
    // A published version cannot be replaced.
    let again = release.end(&["publish", "keyvault.wasm"], &shared);
    assert_ne!(again.code, 0, "the version was published twice");
}

#[test]
fn the_component_is_published_and_read_back() {
    let Some(release) = Release::new() else { return };
    let registry = Registry::start();
    let reference = format!("{}/vaultlet/vaultlet:{VERSION}", registry.authority());
    let insecure = registry.authority();
    let shared = ["--insecure", insecure.as_str()];
    let annotations = String::from_utf8(release.read("annotations")).unwrap();
    let said = annotations.lines().flat_map(|line| ["--annotation", line]);
    let push: Vec<&str> =
        ["oci", "push", reference.as_str(), "vaultlet.wasm"].into_iter().chain(said).collect();
    release.wkg(&push, &shared);
    release.wkg(&["oci", "pull", &reference, "-o", "back.wasm"], &shared);
    let (sent, back) = (release.read("vaultlet.wasm"), release.read("back.wasm"));
    assert!(sent == back, "the published bytes have changed");
    says_where_it_comes_from(&back);

    let manifest = registry.manifest("vaultlet/vaultlet", VERSION);
    let annotation =
        |name: &str| &manifest["annotations"][format!("org.opencontainers.image.{name}")];
    for (name, expected) in [
        ("source", SOURCE),
        ("revision", REVISION),
        ("licenses", "Apache-2.0"),
        ("version", VERSION),
        ("title", "vaultlet"),
    ] {
        assert_eq!(annotation(name), expected, "{name}");
    }
    assert_eq!(manifest["layers"][0]["digest"], sha256(&back));
    // The published component is the tested one, with sections of metadata after it.
    let ours = fs::read(component()).unwrap();
    assert!(back.starts_with(&ours), "the component was changed");
}

#[test]
fn the_bill_of_materials_matches_the_component_and_the_lock_file() {
    let Some(release) = Release::new() else { return };
    let bill: Value = serde_json::from_slice(&release.read("vaultlet.cdx.json")).unwrap();
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    let about = &bill["metadata"]["component"];
    let digest = format!("sha256:{}", about["hashes"][0]["content"].as_str().unwrap());
    assert_eq!(digest, sha256(&release.read("vaultlet.wasm")));
    assert_eq!((&about["version"], &about["name"]), (&VERSION.into(), &"vaultlet".into()));
    let from = &about["externalReferences"][0];
    assert_eq!((&from["url"], &from["comment"]), (&SOURCE.into(), &REVISION.into()));

    let lock: toml::Table = fs::read_to_string(root().join("Cargo.lock")).unwrap().parse().unwrap();
    let locked: BTreeSet<(&str, &str)> = lock["package"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["name"].as_str().unwrap(), package["version"].as_str().unwrap()))
        .collect();
    let mut names = BTreeSet::new();
    for library in bill["components"].as_array().unwrap() {
        let (name, version) =
            (library["name"].as_str().unwrap(), library["version"].as_str().unwrap());
        assert!(locked.contains(&(name, version)), "{name} {version} is not locked");
        assert_eq!(library["purl"], format!("pkg:cargo/{name}@{version}"));
        assert!(library["licenses"][0]["expression"].is_string(), "{name}");
        names.insert(name);
    }
    // The bill of materials has the dependencies of the manifest, and no build dependencies.
    let manifest = |of: &str| -> toml::Table {
        fs::read_to_string(root().join("guest").join(of).join("Cargo.toml"))
            .unwrap()
            .parse()
            .unwrap()
    };
    let (core, component) = (manifest("core"), manifest("component"));
    let wasm = &component["target"]["cfg(target_arch = \"wasm32\")"]["dependencies"];
    for table in [&core["dependencies"], wasm] {
        for name in table.as_table().unwrap().keys() {
            assert!(names.contains(name.as_str()), "{name} is missing");
        }
    }
    for name in ["proptest", "syn", "wit-parser", "wasmtime"] {
        assert!(!names.contains(name), "{name} is not in it");
    }
    // Each crate is a dependency of another one.
    let known: BTreeSet<&str> = bill["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|entry| entry["dependsOn"].as_array().unwrap())
        .map(|id| id.as_str().unwrap())
        .collect();
    let all = bill["components"].as_array().unwrap();
    let all: BTreeSet<&str> =
        all.iter().map(|library| library["bom-ref"].as_str().unwrap()).collect();
    assert_eq!(known, all);
}

/// The files of a release, with their metadata, in a temporary folder.
struct Release {
    folder: tempfile::TempDir,
}

impl Release {
    fn new() -> Option<Self> {
        let version = Command::new("wkg").arg("--version").output().ok();
        let version = version.map(|o| String::from_utf8_lossy(&o.stdout).into_owned());
        if !version.is_some_and(|version| version.starts_with("wkg 0.16")) {
            skipped("published", "`wkg` 0.16 is not installed");
            return None;
        }
        // This builds the component, too.
        vaultlet();
        let folder = tempfile::tempdir().unwrap();
        provenance(&component(), folder.path(), SOURCE, REVISION);
        Some(Self { folder })
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(name)).unwrap()
    }

    fn end(&self, arguments: &[&str], more: &[&str]) -> vaultlet_tests::Ended {
        // `wkg` finds its manifest in the working directory.
        let (program, folder) = ("cd \"$0\" && exec wkg \"$@\"", self.folder.path());
        Run::program("sh")
            .arguments(["-c", program])
            .arguments([folder])
            .arguments(arguments)
            .arguments(more)
            .end()
    }

    #[track_caller]
    fn wkg(&self, arguments: &[&str], more: &[&str]) {
        let ended = self.end(arguments, more);
        assert_eq!(ended.code, 0, "{arguments:?}: {}{}", ended.stdout, ended.stderr);
    }
}

/// Checks the sections of a component that hold its provenance.
#[track_caller]
fn says_where_it_comes_from(wasm: &[u8]) {
    let mut sections = BTreeMap::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CustomSection(section) = payload.unwrap() {
            let text = String::from_utf8_lossy(section.data()).into_owned();
            sections.insert(section.name().to_owned(), text);
        }
    }
    for (name, expected) in [
        ("source", SOURCE),
        ("revision", REVISION),
        ("licenses", "Apache-2.0"),
        ("version", VERSION),
    ] {
        assert_eq!(sections.get(name).map(String::as_str), Some(expected), "{name}");
    }
    assert!(sections.contains_key("description"));
    let shown = sections.values().find(|text| text.contains(env!("CARGO_MANIFEST_DIR")));
    assert_eq!(shown, None, "the component has a path of the build machine");
}
