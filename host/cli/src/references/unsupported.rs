//! The options of a reference that say what becomes of a *variable*: only a command that starts a program has a
//! use for them.

use vaultlet_core::vault::Reference;
use vaultlet_host::Kind;
use vaultlet_host::references::shown;

use super::sources::Variable;
use crate::failure::Failure;
use crate::options::Options;

/// Fails if one of these variables, with `only` one of those that it names, is a reference with `as=`, `optional` or
/// `default=`.
pub(crate) fn refuse_options(
    variables: &[Variable],
    only: &[String],
    options: &Options,
) -> Result<(), Failure> {
    let mut failures = Vec::new();
    let chosen =
        variables.iter().filter(|it| only.is_empty() || only.iter().any(|o| it.name == **o));
    for variable in chosen {
        let Some(text) = variable.value.to_str().map(str::trim) else { continue };
        if let Some((start, option)) = find(text)
            && is_reference(start, options)?
        {
            let option = option.split_once('=').map_or(option, |(name, _)| name);
            let message =
                format!("reading the reference: only `vaultlet run` has the option `{option}`");
            let help = "leave the option out, or run a command with `vaultlet run`";
            let failure = Failure::own(Kind::InvalidArgument, "reference-malformed", message, help);
            failures.push((shown(&variable.name), failure));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(Failure::of_variables(failures)) }
}

/// What stands before the options of a reference, and the first of those that are refused.
fn find(text: &str) -> Option<(&str, &str)> {
    // In the form of App Service, what is between the parentheses is the reference.
    let end = match text.starts_with('@') {
        true => text.find(")?").map_or(text.len(), |at| at + 1),
        false => 0,
    };
    let at = end + text.get(end..)?.find('?')?;
    let (start, query) = (text.get(..at)?, text.get(at + 1..)?);
    let is_refused = |option: &&str| {
        matches!(*option, "optional" | "default")
            || option.starts_with("optional=")
            || option.starts_with("default=")
            || option.starts_with("as=")
    };
    query.split('&').find(is_refused).map(|option| (start, option))
}

/// Whether a variable with this value is resolved.
fn is_reference(text: &str, options: &Options) -> Result<bool, Failure> {
    Ok(Reference::recognize(text, &options.settings()?).is_some_and(|read| read.is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_variables_are_found_and_no_others() {
        for (text, expected) in [
            ("akv://v/n", None),
            ("akv://v/n?json=/a", None),
            ("akv://v/n?as=env", Some(("akv://v/n", "as=env"))),
            ("akv://v/n?json=/optional", None),
            ("akv://v/n?optional", Some(("akv://v/n", "optional"))),
            ("akv://v/n?json=/a&as=file", Some(("akv://v/n", "as=file"))),
            ("akv://v/n?as=fd&optional", Some(("akv://v/n", "as=fd"))),
            ("akv://v/n?default=", Some(("akv://v/n", "default="))),
            ("@Microsoft.KeyVault(SecretUri=https://v/secrets/n?optional)", None),
            (
                "@Microsoft.KeyVault(VaultName=v;SecretName=n)?optional",
                Some(("@Microsoft.KeyVault(VaultName=v;SecretName=n)", "optional")),
            ),
        ] {
            assert_eq!(find(text), expected, "{text}");
        }
    }
}
