//! The statement of how packages were made: SLSA provenance 1.0 in an in-toto statement.
//! <https://slsa.dev/spec/v1.0/provenance>, <https://github.com/in-toto/attestation/blob/v1.1.0/spec/v1/statement.md>

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::{Value, json};

use crate::materials::sha256;

/// One run of `host/package`.
pub(crate) struct Run<'a> {
    /// The address of the repository.
    pub(crate) source: &'a str,
    /// The commit.
    pub(crate) revision: &'a str,
    /// Who ran it.
    pub(crate) builder: &'a str,
    /// The kinds of packages that were asked for.
    pub(crate) packages: &'a str,
}

/// The statement about all files of a folder but itself. There is no time in it: two runs say the same.
pub(crate) fn of(
    root: &Path,
    folder: &Path,
    out: &Path,
    run: &Run<'_>,
) -> Result<Value, Box<dyn Error>> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    let mut subjects = Vec::new();
    for file in files.iter().filter(|file| is_subject(file, out)) {
        let name = file.strip_prefix(folder)?.to_str().ok_or("a strange name")?;
        subjects.push(json!({ "name": name, "digest": { "sha256": sha256(&fs::read(file)?) } }));
    }
    let git = format!("git+{}@{}", run.source, run.revision);
    let lock = fs::read(root.join("Cargo.lock"))?;
    Ok(json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": format!("{}/blob/{}/host/package", run.source, run.revision),
                "externalParameters": { "packages": run.packages, "source": git },
                "internalParameters": {
                    "rustc": said("rustc", &["--version"], root)?,
                    "sourceDateEpoch": env::var("SOURCE_DATE_EPOCH").unwrap_or_default(),
                    // Whether it is the commit's own files that were built.
                    "modified": !said("git", &["status", "--porcelain"], root)?.is_empty(),
                },
                "resolvedDependencies": [
                    { "uri": git, "digest": { "gitCommit": run.revision } },
                    { "name": "Cargo.lock", "digest": { "sha256": sha256(&lock) } },
                ],
            },
            "runDetails": { "builder": { "id": run.builder } },
        },
    }))
}

/// Neither this statement nor what is made from it, nor a file that has a folder of this machine in it.
fn is_subject(file: &Path, out: &Path) -> bool {
    let name = file.file_name().unwrap_or_default();
    let is_sum = name.to_string_lossy().starts_with("SHA256SUMS");
    file != out && !is_sum && name != "wkg.toml"
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn said(program: &str, arguments: &[&str], root: &Path) -> Result<String, Box<dyn Error>> {
    let output = Command::new(program).args(arguments).current_dir(root).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
