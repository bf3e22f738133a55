//! The cases as files in folders.

use std::fs;
use std::path::{Path, PathBuf};

use super::Case;

/// The cases of one folder.
#[derive(Debug)]
pub struct Suite {
    /// The folder's name.
    pub name: String,
    /// Each with the name of its file.
    pub cases: Vec<(String, Case)>,
}

/// The suites of a folder, which are its folders. A suite without a case is an error, and so is a
/// folder without a suite.
pub fn suites(folder: &Path) -> Result<Vec<Suite>, String> {
    let mut suites = Vec::new();
    for path in entries(folder)? {
        let mut cases = Vec::new();
        for file in entries(&path)? {
            let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            let case = Case::parse(&text).map_err(|e| format!("{}: {e}", file.display()))?;
            cases.push((stem(&file), case));
        }
        suites.push(Suite { name: stem(&path), cases });
    }
    Ok(suites)
}

/// What is in a folder, sorted; nothing is an error.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("{}: {error}", folder.display());
    let read = fs::read_dir(folder).map_err(failed)?;
    let mut paths = read
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    paths.sort();
    if paths.is_empty() {
        Err(format!("{}: nothing is in it", folder.display()))
    } else {
        Ok(paths)
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
