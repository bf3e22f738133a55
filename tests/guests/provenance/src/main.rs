//! Metadata of a published component: `provenance COMPONENT FOLDER SOURCE REVISION` writes into the folder
//!
//! * `vaultlet.wasm`, the component with sections for its name, version, licence, source and revision;
//! * `annotations`, the same metadata as lines for `wkg oci push --annotation`;
//! * `vaultlet.cdx.json`, the crates in the component (CycloneDX 1.5), with the component's digest;
//! * `wkg.toml`, from which `wkg build` takes the interfaces' metadata and the location of WASI's.
//!
//! `provenance --bill PACKAGE TARGET FILE OUT SOURCE REVISION` writes the bill of materials of another
//! file that was built from a package; `provenance --licences TARGET,… OUT PACKAGE…` writes the licence
//! texts of the crates in packages; `provenance --statement FOLDER OUT SOURCE REVISION BUILDER PACKAGES` writes
//! how all files of a folder were made.
//!
//! The output is reproducible.

mod licences;
mod materials;
mod statement;

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;
use wasm_metadata::{AddMetadata, AddMetadataField};

/// The metadata of the package, from its manifest, and its source.
struct About {
    version: String,
    description: String,
    licence: String,
    source: String,
    revision: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = root()?;
    match arguments.as_slice() {
        ["--bill", package, target, file, out, source, revision] => {
            let about = about(&root, source, revision)?;
            let bytes = fs::read(file)?;
            let name = Path::new(file).file_name().and_then(|name| name.to_str());
            let name = name.ok_or("a strange name")?;
            bill(&root, &about, &materials::Built { package, target, name, bytes: &bytes }, out)
        }
        ["--licences", target, out, packages @ ..] => {
            Ok(fs::write(out, licences::of(&root, target, packages)?)?)
        }
        ["--statement", folder, out, source, revision, builder, packages] => {
            let run = statement::Run { source, revision, builder, packages };
            let statement = statement::of(&root, Path::new(folder), Path::new(out), &run)?;
            Ok(fs::write(out, serde_json::to_string_pretty(&statement)? + "\n")?)
        }
        [component, folder, source, revision] => {
            publish(&root, component, Path::new(folder), &about(&root, source, revision)?)
        }
        _ => Err("usage: provenance COMPONENT FOLDER SOURCE REVISION, or see its source".into()),
    }
}

fn bill(
    root: &Path,
    about: &About,
    built: &materials::Built<'_>,
    out: impl AsRef<Path>,
) -> Result<(), Box<dyn Error>> {
    let materials = materials::of(root, about, built)?;
    Ok(fs::write(out, serde_json::to_string_pretty(&materials)? + "\n")?)
}

fn publish(
    root: &Path,
    component: &str,
    folder: &Path,
    about: &About,
) -> Result<(), Box<dyn Error>> {
    let wasm = described(&fs::read(component)?, about)?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("vaultlet.wasm"), &wasm)?;
    let built = materials::Built {
        package: "vaultlet-component",
        target: "wasm32-wasip2",
        name: "vaultlet",
        bytes: &wasm,
    };
    bill(root, about, &built, folder.join("vaultlet.cdx.json"))?;
    fs::write(folder.join("annotations"), annotations(about))?;
    Ok(fs::write(folder.join("wkg.toml"), manifest(root, about)?)?)
}

/// The root of the repository.
fn root() -> Result<PathBuf, Box<dyn Error>> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize()?)
}

/// Runs cargo in the root of the repository and returns its standard output.
fn cargo(root: &Path, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(arguments).arg("--locked").current_dir(root).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn about(root: &Path, source: &str, revision: &str) -> Result<About, Box<dyn Error>> {
    let metadata = cargo(root, &["metadata", "--format-version", "1", "--no-deps"])?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().ok_or("cargo names no packages")?;
    let guest = packages.iter().find(|p| p["name"] == "vaultlet-component").ok_or("no guest")?;
    let text = |name: &str| guest[name].as_str().map(str::to_owned).ok_or(format!("no {name}"));
    Ok(About {
        version: text("version")?,
        description: text("description")?,
        licence: text("license")?,
        source: source.into(),
        revision: revision.into(),
    })
}

fn described(wasm: &[u8], about: &About) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut metadata = AddMetadata::default();
    metadata.name = AddMetadataField::Set("vaultlet".into());
    metadata.description = AddMetadataField::Set(about.description.parse()?);
    metadata.licenses = AddMetadataField::Set(about.licence.parse()?);
    metadata.source = AddMetadataField::Set(about.source.parse()?);
    metadata.revision = AddMetadataField::Set(about.revision.parse()?);
    metadata.version = AddMetadataField::Set(about.version.parse()?);
    Ok(metadata.to_wasm(wasm)?)
}

/// OCI annotations
/// (<https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md>).
fn annotations(about: &About) -> String {
    [
        ("title", "vaultlet"),
        ("description", &about.description),
        ("licenses", &about.licence),
        ("source", &about.source),
        ("revision", &about.revision),
        ("version", &about.version),
    ]
    .map(|(key, value)| format!("org.opencontainers.image.{key}={value}\n"))
    .concat()
}

/// The manifest of `wkg`, which reads it from its working directory.
fn manifest(root: &Path, about: &About) -> Result<String, Box<dyn Error>> {
    let mut text = String::from("[overrides]\n");
    let mut packages = fs::read_dir(root.join("wit/deps"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    packages.sort();
    for path in packages {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or("a strange name")?;
        let path = path.to_str().ok_or("a path that is no text")?;
        writeln!(text, "\"wasi:{name}\" = {{ path = {} }}", quoted(path))?;
    }
    text.push_str("\n[metadata]\n");
    for (key, value) in [
        ("description", "The interfaces of vaultlet: reading secrets of Azure Key Vault"),
        ("licenses", &about.licence),
        ("source", &about.source),
        ("revision", &about.revision),
    ] {
        writeln!(text, "{key} = {}", quoted(value))?;
    }
    Ok(text)
}

/// A TOML string, written as a JSON string, which TOML accepts.
fn quoted(text: &str) -> Value {
    Value::from(text)
}
