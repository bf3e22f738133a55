//! Folders that are made again when their inputs change, and the sizes of installed packages.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

/// The inputs of a folder, which is made again only when they have changed.
pub(super) struct Stamp {
    folder: PathBuf,
    wanted: Vec<u8>,
}

impl Stamp {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), wanted: Vec::new() }
    }

    /// Adds a file to the inputs.
    pub(super) fn by(mut self, file: &Path) -> Result<Self> {
        let bytes = fs::read(file).with_context(|| file.display().to_string())?;
        self.wanted.extend(bytes);
        Ok(self)
    }

    pub(super) fn renew(self, make: impl FnOnce() -> Result<()>) -> Result<()> {
        let stamp = self.folder.join("stamp");
        if fs::read(&stamp).is_ok_and(|found| found == self.wanted) {
            return Ok(());
        }
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        fs::create_dir_all(&self.folder)?;
        make()?;
        Ok(fs::write(stamp, &self.wanted)?)
    }
}

/// The only file of a folder.
pub(super) fn one_in(folder: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|path| path.is_file());
    ensure!(files.len() == 1, "{} has {} files", folder.display(), files.len());
    files.pop().context("no file")
}

/// Counts the entries of a folder that meet a condition.
pub(super) fn count(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<usize> {
    let mut found = 0;
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        found += usize::from(wanted(&entry?.path()));
    }
    Ok(found)
}

/// The size of installed packages, without the installers that every virtual environment has.
pub(crate) fn bytes_in(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.path().symlink_metadata()?;
        if is_installer(&entry.path()) {
            continue;
        }
        bytes += if metadata.is_dir() { bytes_in(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

pub(super) fn is_installer(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ["pip", "setuptools", "pkg_resources", "_distutils_hack"]
        .iter()
        .any(|i| name == *i || name.starts_with(&format!("{i}-")))
}
