//! The suites: folders of case files.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Case, variations};

/// The cases of one folder.
#[derive(Debug)]
pub struct Suite {
    /// The folder's name.
    pub name: String,
    /// The number of files.
    pub files: usize,
    /// The cases, each with its name: `a-status-is-final [status=403]`.
    pub cases: Vec<(String, Case)>,
}

/// Reads the suites in a folder. A suite without a case is an error, and so is a folder without a
/// suite.
pub fn suites(folder: &Path) -> Result<Vec<Suite>, String> {
    let mut suites = Vec::new();
    for path in entries(folder)? {
        let files = entries(&path)?;
        let mut cases = Vec::new();
        for file in &files {
            let failed = |error: String| format!("{}: {error}", file.display());
            let text = fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
            let variations = variations(&text).map_err(failed)?;
            cases.extend(variations.into_iter().map(|v| (stem(file) + &v.name, v.case)));
        }
        suites.push(Suite { name: stem(&path), files: files.len(), cases });
    }
    Ok(suites)
}

/// The entries of a folder, sorted; an empty folder is an error.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("{}: {error}", folder.display());
    let read = fs::read_dir(folder).map_err(failed)?;
    let mut paths = read
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    paths.sort();
    if paths.is_empty() { Err(format!("{}: empty folder", folder.display())) } else { Ok(paths) }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
