//! The subjects of `list` and `versions`. Errors are sentences about the arguments.

use alloc::{borrow::ToOwned, format, string::String};

const CONTRADICTION: &str = "`--vault` contradicts the reference";

/// The vault that `list` lists: a word, or the value of `--vault`. A word wins over the variable that
/// stands for `--vault`; with the flag itself it is an error.
pub fn vault(
    word: Option<&str>,
    vault: Option<&str>,
    is_flag: bool,
) -> Result<String, &'static str> {
    match (word, vault) {
        (Some(_), Some(_)) if is_flag => Err(CONTRADICTION),
        (Some(vault), _) | (None, Some(vault)) => Ok(vault.to_owned()),
        (None, None) => Err("`list` needs a vault"),
    }
}

/// The reference of the secret whose versions `versions` lists: the word itself, or its name in the vault
/// that `--vault` gives.
pub fn secret(word: &str, vault: Option<&str>, is_flag: bool) -> Result<String, &'static str> {
    let is_name = !word.contains("://") && !word.starts_with('@');
    match vault {
        Some(_) if !is_name && is_flag => Err(CONTRADICTION),
        Some(vault) if is_name => Ok(reference(vault, word)),
        None if is_name => Err("`versions` needs a reference, or a name and `--vault`"),
        _ => Ok(word.to_owned()),
    }
}

/// The reference of a secret in a vault, which is given in any of the forms that a vault has.
fn reference(vault: &str, name: &str) -> String {
    let vault = vault.trim_end_matches('/');
    match vault.split_once("://") {
        None => format!("akv://{vault}/{name}"),
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("akv") => format!("{vault}/{name}"),
        Some(_) => format!("{vault}/secrets/{name}"),
    }
}
