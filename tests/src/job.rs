//! A job of an example's: one password, in the local Azure of the command line.

use std::ffi::OsStr;

use crate::{Ended, Run};

/// The password of `akv://my-key-vault/db-password`.
pub const VALUE: &str = "correct horse battery staple";

/// `vaultlet dev … -- PROGRAM`.
pub fn in_dev(options: &[&str], program: &[&OsStr], variables: &[(&str, &OsStr)]) -> Ended {
    let seed = format!("db-password={VALUE}");
    Run::vaultlet(["dev", "--vault", "my-key-vault", "--seed", &seed])
        .arguments(options)
        .arguments(["--"])
        .arguments(program)
        .environment(variables.iter().copied())
        .end()
}
