//! Proof by a key file: the endpoint names a file, and whoever can read it is one of the machine's own
//! programs.
//! <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>

use alloc::{format, string::String};

use super::{Endpoint, refusal};
use crate::{
    call::Call,
    context::{Context, Request},
    error::{Error, Id},
    limits, retry,
    source::denial::Denial,
    token::UserAssigned,
    words::{json, secret::SecretString},
};

/// How the names of key files end.
pub(in crate::source) const ENDING: &str = ".key";

/// The content of the file that the endpoint names, which must be one of its own.
pub(super) fn key<C: Context>(
    call: &Call<'_, C>,
    endpoint: &Endpoint,
    folder: &str,
    build: &dyn Fn() -> Request,
    doing: &str,
) -> Result<SecretString, Denial> {
    let response = retry::send(call, endpoint.retries, build)
        .map_err(|stopped| refusal::unanswered(doing, endpoint, stopped))?;
    if response.status == 200 {
        let what = "it gave a token without asking for proof, as no agent of Azure Arc does";
        let error = Error::new(Id::IdentityUnexpected, format!("{doing}: {what}"));
        return Err(refusal::named(error.with_answer(200, None), endpoint).into());
    }
    if response.status != 401 {
        return Err(refusal::refusal(call, doing, endpoint, None, &response, &[]));
    }
    let Some(path) = response.headers_named("www-authenticate").find_map(realm) else {
        let what = "it asks for proof without naming a file";
        let error = Error::new(Id::IdentityUnexpected, format!("{doing}: {what}"));
        return Err(refusal::named(error.with_answer(401, None), endpoint).into());
    };
    if !is_own(path, folder) {
        let what = format!("it asks for a file that is not one of {folder}/*{ENDING}");
        return Err(Error::new(Id::IdentityChallengeRefused, format!("{doing}: {what}")).into());
    }
    let bytes = call.context.read_file(path, limits::ARC_KEY).map_err(|why| {
        Error::new(Id::CredentialFile, format!("{doing}: its key file: {}", why.describe()))
            .with_help("let this program read the agent's folder: add its user to group `himds`")
    })?;
    // It goes into a header as it is.
    match core::str::from_utf8(&bytes) {
        Ok(key) if !key.is_empty() && key.bytes().all(|b| (0x21..0x7f).contains(&b)) => {
            Ok(key.into())
        }
        _ => {
            let what = format!("{doing}: its key file holds no key");
            Err(Error::new(Id::CredentialFile, what).into())
        }
    }
}

/// The realm of a `Basic` challenge.
fn realm(header: &str) -> Option<&str> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    let (name, value) = rest.trim().split_once('=')?;
    let named = scheme.eq_ignore_ascii_case("basic") && name.trim().eq_ignore_ascii_case("realm");
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    (named && !value.is_empty()).then_some(value)
}

/// Directly in the folder, with the right ending, and nothing that leads elsewhere.
fn is_own(path: &str, folder: &str) -> bool {
    let name = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
    let stem = name.and_then(|name| name.strip_suffix(ENDING));
    stem.is_some_and(|stem| {
        (1..=128).contains(&stem.len())
            && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    })
}

/// Whether an answer is for that identity: an old agent gives the machine's own instead.
pub(super) fn echoes(body: &[u8], id: &UserAssigned) -> bool {
    let names: &[&str] = match id {
        UserAssigned::Client(_) => &["client_id"],
        UserAssigned::Object(_) => &["object_id"],
        UserAssigned::Resource(_) => &["msi_res_id", "mi_res_id"],
    };
    json::parse(body).is_some_and(|body| {
        let told = names.iter().find_map(|name| body.text(name));
        told.is_some_and(|told: String| told.eq_ignore_ascii_case(id.id()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_is_read_in_every_spelling() {
        for (header, expected) in [
            ("Basic realm=/var/opt/x.key", Some("/var/opt/x.key")),
            ("basic Realm = \"/var/opt/x.key\"", Some("/var/opt/x.key")),
            ("Basic realm=", None),
            ("Basic realm=\"\"", None),
            ("Basic", None),
            ("Bearer realm=/x.key", None),
            ("", None),
        ] {
            assert_eq!(realm(header), expected, "{header}");
        }
    }

    #[test]
    fn only_its_own_files_are_read() {
        for (path, own) in [
            ("/var/opt/azcmagent/tokens/7e2f-a_1.key", true),
            ("/var/opt/azcmagent/tokens/.key", false),
            ("/var/opt/azcmagent/tokens/x.txt", false),
            ("/var/opt/azcmagent/tokens/x", false),
            ("/var/opt/azcmagent/tokens/../x.key", false),
            ("/var/opt/azcmagent/tokens/a/x.key", false),
            ("/var/opt/azcmagent/tokens//x.key", false),
            ("/var/opt/azcmagent/tokensx.key", false),
            ("/etc/shadow", false),
            ("var/opt/azcmagent/tokens/x.key", false),
            ("", false),
        ] {
            assert_eq!(is_own(path, "/var/opt/azcmagent/tokens"), own, "{path}");
        }
    }
}
