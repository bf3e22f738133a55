//! The private folder of a local Azure, for certificates and for the files that some identity forms read.

use std::{fs, io, path::PathBuf};

pub(crate) use crate::private_folder::{Folder, write_private};

/// What the names of all such folders begin with.
const PREFIX: &str = "vaultlet-dev-";

/// A temporary folder that only this user can read.
pub(crate) fn private() -> io::Result<Folder> {
    Folder::new_in(&std::env::temp_dir(), PREFIX)
}

/// Creates a folder in it and returns its path.
pub(crate) fn subfolder(folder: &Folder, name: &str) -> io::Result<PathBuf> {
    let path = folder.path().join(name);
    #[cfg_attr(not(unix), allow(unused_mut, reason = "there is no mode to set"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&path)?;
    Ok(path)
}
