//! The bill of materials: CycloneDX 1.5, the crates that are in the component and what each is for.
//! <https://cyclonedx.org/docs/1.5/json/>

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{About, cargo};

/// Those of the component that has these bytes. What only builds it is left out.
pub(crate) fn of(root: &Path, about: &About, wasm: &[u8]) -> Result<Value, Box<dyn Error>> {
    let tree = cargo(
        root,
        &[
            "tree",
            "--package=vaultlet-guest",
            "--target=wasm32-wasip2",
            "--edges=normal,no-proc-macro",
            "--prefix=depth",
            "--format={p}|{l}",
        ],
    )?;
    let mut crates = BTreeMap::new();
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    // From the component to the crate of the last line.
    let mut path: Vec<String> = Vec::new();
    for line in tree.lines() {
        let at = line.find(|c: char| !c.is_ascii_digit()).ok_or("a line without a crate")?;
        let (depth, rest) = line.split_at(at);
        let (package, licence) = rest.split_once('|').ok_or("a line without a licence")?;
        let mut words = package.split(' ');
        let name = words.next().unwrap_or_default();
        let version = words.next().and_then(|v| v.strip_prefix('v')).ok_or("no version")?;
        let id = format!("pkg:cargo/{name}@{version}");
        path.truncate(depth.parse()?);
        if let Some(parent) = path.last() {
            needs.entry(parent.clone()).or_default().insert(id.clone());
            // A crate that was in an earlier line is followed by `(*)`.
            let licence = licence.trim_end_matches(" (*)").replace('/', " OR ");
            crates.entry(id.clone()).or_insert_with(|| library(&id, name, version, &licence));
        }
        needs.entry(id.clone()).or_default();
        path.push(id);
    }
    let component = format!("pkg:cargo/vaultlet-guest@{}", about.version);
    let digest: String = Sha256::digest(wasm).iter().map(|byte| format!("{byte:02x}")).collect();
    let needs = needs.iter().map(|(id, on)| json!({ "ref": id, "dependsOn": on }));
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": component,
                "name": "vaultlet",
                "version": about.version,
                "description": about.description,
                "hashes": [{ "alg": "SHA-256", "content": digest }],
                "licenses": [{ "expression": about.licence }],
                "externalReferences": [
                    { "type": "vcs", "url": about.source, "comment": about.revision },
                ],
            },
        },
        "components": crates.into_values().collect::<Vec<_>>(),
        "dependencies": needs.collect::<Vec<_>>(),
    }))
}

fn library(id: &str, name: &str, version: &str, licence: &str) -> Value {
    json!({
        "type": "library",
        "bom-ref": id,
        "name": name,
        "version": version,
        "purl": id,
        "licenses": [{ "expression": licence }],
    })
}
