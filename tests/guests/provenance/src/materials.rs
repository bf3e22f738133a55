//! The bill of materials in CycloneDX 1.5: the crates in a built file and their dependencies.
//! <https://cyclonedx.org/docs/1.5/json/>

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{About, cargo};

/// A package of the workspace, built for a target.
pub(crate) struct Built<'a> {
    /// The package.
    pub(crate) package: &'a str,
    /// The target that it was built for.
    pub(crate) target: &'a str,
    /// The name that its users know.
    pub(crate) name: &'a str,
    /// The built file.
    pub(crate) bytes: &'a [u8],
}

/// A crate in the built file.
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: String,
}

/// Crates by id, and the dependencies of each.
type Tree = (BTreeMap<String, Crate>, BTreeMap<String, BTreeSet<String>>);

/// Whether a program for this target has musl in it.
pub(crate) fn has_musl(target: &str) -> bool {
    target.ends_with("-musl")
}

/// The crates in a built file. Build dependencies are left out.
pub(crate) fn crates(root: &Path, package: &str, target: &str) -> Result<Tree, Box<dyn Error>> {
    let package = format!("--package={package}");
    let target = format!("--target={target}");
    let fixed = ["--edges=normal,no-proc-macro", "--prefix=depth", "--format={p}|{l}"];
    let tree = cargo(root, &[&["tree", &package, &target][..], &fixed].concat())?;
    let mut crates = BTreeMap::new();
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    // The path from the root of cargo's tree to the crate of the last line.
    let mut path: Vec<String> = Vec::new();
    for line in tree.lines() {
        let at = line.find(|c: char| !c.is_ascii_digit()).ok_or("a line without a crate")?;
        let (depth, rest) = line.split_at(at);
        let (package, licence) = rest.split_once('|').ok_or("a line without a licence")?;
        let mut words = package.split(' ');
        let name = words.next().unwrap_or_default().to_owned();
        let version = words.next().and_then(|v| v.strip_prefix('v')).ok_or("no version")?.to_owned();
        let id = format!("pkg:cargo/{name}@{version}");
        path.truncate(depth.parse()?);
        if let Some(parent) = path.last() {
            needs.entry(parent.clone()).or_default().insert(id.clone());
            // `(*)` follows a crate that was on an earlier line.
            let licence = licence.trim_end_matches(" (*)").replace('/', " OR ");
            crates.entry(id.clone()).or_insert(Crate { name, version, licence });
        }
        needs.entry(id.clone()).or_default();
        path.push(id);
    }
    Ok((crates, needs))
}

/// A checksum in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bill of materials of a built file.
pub(crate) fn of(root: &Path, about: &About, built: &Built<'_>) -> Result<Value, Box<dyn Error>> {
    let (crates, needs) = crates(root, built.package, built.target)?;
    let whole = format!("pkg:cargo/{}@{}", built.package, about.version);
    let digest = sha256(built.bytes);
    let needs = needs.iter().map(|(id, on)| json!({ "ref": id, "dependsOn": on }));
    let mut components: Vec<_> = crates.iter().map(|(id, one)| library(id, one)).collect();
    // A library uses the musl of the program that loads it.
    if has_musl(built.target) && built.package == "vaultlet-cli" {
        let licences = json!([{ "expression": "MIT" }]);
        components.push(json!({ "type": "library", "name": "musl", "licenses": licences }));
    }
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": whole,
                "name": built.name,
                "version": about.version,
                "description": about.description,
                "hashes": [{ "alg": "SHA-256", "content": digest }],
                "licenses": [{ "expression": about.licence }],
                "externalReferences": [
                    { "type": "vcs", "url": about.source, "comment": about.revision },
                ],
            },
        },
        "components": components,
        "dependencies": needs.collect::<Vec<_>>(),
    }))
}

fn library(id: &str, one: &Crate) -> Value {
    json!({
        "type": "library",
        "bom-ref": id,
        "name": one.name,
        "version": one.version,
        "purl": id,
        "licenses": [{ "expression": one.licence }],
    })
}
