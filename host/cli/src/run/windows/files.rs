//! Secrets in files that lie in memory. Windows has none.

use std::ffi::OsStr;
use std::path::PathBuf;

use crate::child::Descriptor;
use crate::failure::Failure;
use crate::not_here::not_here;

/// Files that variables name: none.
#[derive(Default)]
pub(in crate::run) struct Files(());

impl Files {
    /// Fails.
    pub(in crate::run) fn file(&mut self, name: &OsStr, _: &[u8]) -> Result<PathBuf, Failure> {
        Err(missing(name))
    }

    /// Fails.
    pub(in crate::run) fn descriptor(
        &mut self,
        name: &OsStr,
        _: &[u8],
    ) -> Result<PathBuf, Failure> {
        Err(missing(name))
    }

    /// Fails.
    pub(in crate::run) fn rewrite(&self, name: &OsStr, _: &[u8]) -> Result<(), Failure> {
        Err(missing(name))
    }

    /// None.
    pub(in crate::run) fn handed_down(&self) -> Vec<Descriptor> {
        Vec::new()
    }

    /// No.
    pub(in crate::run) fn must_be_kept(&self) -> bool {
        false
    }
}

fn missing(name: &OsStr) -> Failure {
    let what = format!("making the file of `{}`: files in memory are", name.to_string_lossy());
    not_here(&what, "leave `as=` out, and give the command the value in the variable")
}
