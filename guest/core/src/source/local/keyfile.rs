//! Proof by a key file: the endpoint names a file that only trusted programs of the machine can read, and
//! the caller sends its content.
//! <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>

use alloc::{format, string::String};

use super::{
    endpoint::{Endpoint, KEY_FILE_ENDING},
    refusal,
};
use crate::{
    call::Call,
    context::{Context, Request},
    error::{Error, Id},
    limits, retry,
    source::denial::Denial,
    token::UserAssigned,
    words::{json, secret::SecretString},
};

/// Reads the key file that the endpoint names, which must be one of the agent's own folder.
pub(super) fn key<C: Context>(
    call: &Call<'_, C>,
    endpoint: &Endpoint,
    folder: &str,
    build: &dyn Fn() -> Request,
    doing: &str,
) -> Result<SecretString, Denial> {
    let response = retry::send(call, endpoint.retries, build)
        .map_err(|stopped| refusal::unanswered(call, doing, endpoint, stopped))?;
    if response.status == 200 {
        let what = "it gave a token without asking for proof, which an Azure Arc agent never does";
        let error = Error::new(Id::IdentityUnexpected, format!("{doing}: {what}"));
        return Err(
            refusal::with_variable_help(call, error.with_answer(200, None), endpoint).into()
        );
    }
    if response.status != 401 {
        return Err(refusal::explain(call, doing, endpoint, None, &response, &[]));
    }
    let Some(path) = response.headers_named("www-authenticate").find_map(realm) else {
        let what = "it asks for proof without naming a file";
        let error = Error::new(Id::IdentityUnexpected, format!("{doing}: {what}"));
        return Err(
            refusal::with_variable_help(call, error.with_answer(401, None), endpoint).into()
        );
    };
    if !is_key_file(path, folder) {
        let what = format!("it asks for a file that is not one of {folder}/*{KEY_FILE_ENDING}");
        return Err(Error::new(Id::IdentityChallengeRefused, format!("{doing}: {what}")).into());
    }
    let bytes = call.context.read_file(path, limits::ARC_KEY).map_err(|why| {
        Error::new(Id::CredentialFile, format!("{doing}: its key file: {}", why.describe()))
            .with_help("let this program read the agent's folder: add its user to group `himds`")
    })?;
    // The key goes into a header unchanged.
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

/// The realm of a `Basic` challenge: the path of the key file.
fn realm(header: &str) -> Option<&str> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    let (name, value) = rest.trim().split_once('=')?;
    let named = scheme.eq_ignore_ascii_case("basic") && name.trim().eq_ignore_ascii_case("realm");
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    (named && !value.is_empty()).then_some(value)
}

/// Whether a path is that of a key file directly in the agent's folder.
fn is_key_file(path: &str, folder: &str) -> bool {
    let name = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix(['/', '\\']));
    let stem = name.and_then(|name| name.strip_suffix(KEY_FILE_ENDING));
    stem.is_some_and(|stem| {
        (1..=128).contains(&stem.len())
            && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    })
}

/// Whether a response is for the requested identity: an old agent ignores the parameter and returns a
/// token of the machine's own.
pub(super) fn is_response_for(body: &[u8], id: &UserAssigned) -> bool {
    let names: &[&str] = match id {
        UserAssigned::Client(_) => &["client_id"],
        UserAssigned::Object(_) => &["object_id"],
        UserAssigned::Resource(_) => &["msi_res_id", "mi_res_id"],
    };
    json::parse(body).is_some_and(|body| {
        let echoed = names.iter().find_map(|name| body.text(name));
        echoed.is_some_and(|echoed: String| echoed.eq_ignore_ascii_case(id.id()))
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
    fn only_key_files_of_the_agent_are_read() {
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
            ("/var/opt/azcmagent/tokens/a\\x.key", false),
            ("", false),
        ] {
            assert_eq!(is_key_file(path, "/var/opt/azcmagent/tokens"), own, "{path}");
        }
        let on_windows = r"C:\ProgramData\AzureConnectedMachineAgent\Tokens";
        assert!(is_key_file(&format!(r"{on_windows}\7e2f.key"), on_windows));
        assert!(!is_key_file(&format!(r"{on_windows}\..\7e2f.key"), on_windows));
    }
}
