//! A job that reads one password from the local Azure of `vaultlet dev`.

use std::ffi::OsStr;

use crate::{Ended, Run};

/// The value of `akv://my-key-vault/db-password`.
pub const VALUE: &str = "correct horse battery staple";

/// Runs `vaultlet dev … -- PROGRAM`.
pub fn in_dev(options: &[&str], program: &[&OsStr], variables: &[(&str, &OsStr)]) -> Ended {
    let seed = format!("db-password={VALUE}");
    Run::vaultlet(["dev", "--vault", "my-key-vault", "--seed", &seed])
        .arguments(options)
        .arguments(["--"])
        .arguments(program)
        .environment(variables.iter().copied())
        .end()
}
