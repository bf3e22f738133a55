//! The scopes (version 2) or the resource (version 1) of a token request.
//!
//! <https://learn.microsoft.com/entra/identity-platform/scopes-oidc>

use http::Uri;

use super::errors::OAuthError;
use crate::{
    directory::{clouds::CLOUDS, who::APPLICATION},
    message::Query,
};

/// The scopes of a token request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scopes {
    pub(super) resource: String,
    pub(super) openid: bool,
    pub(super) offline: bool,
    /// The scopes as the response shows them.
    pub(super) text: String,
}

/// Resources besides vaults for which the programs of a job request tokens.
const RESOURCES: [&str; 8] = [
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://graph.microsoft.com",
    "https://storage.azure.com",
    "https://database.windows.net",
    "https://ml.azure.com",
    "https://managedhsm.azure.net",
    "https://cognitiveservices.azure.com",
];

const DEFAULT: &str = "/.default";

/// Parses `scope`, or `resource` in requests of version 1.
pub(super) fn parse(form: &Query, is_v1: bool, is_app: bool) -> Result<Scopes, OAuthError> {
    if is_v1 && let Some(resource) = form.filled("resource") {
        return Ok(Scopes {
            resource: known(resource)?.to_owned(),
            openid: true,
            offline: true,
            text: "user_impersonation".to_owned(),
        });
    }
    let name = if is_v1 { "resource" } else { "scope" };
    let Some(scope) = form.filled(name).or_else(|| form.filled("scope")) else {
        let text = format!("The request body must contain the following parameter: '{name}'.");
        return Err(OAuthError::with_text(900144, text));
    };
    let (mut resource, mut openid, mut offline) = (None, false, false);
    for word in scope.split_ascii_whitespace() {
        match word {
            "openid" => openid = true,
            "offline_access" => offline = true,
            "profile" | "email" => {}
            _ => {
                let (prefix, name) = split(word).ok_or_else(|| invalid(scope))?;
                if is_app && name != ".default" {
                    return Err(OAuthError::with_text(
                        1002012,
                        format!(
                            "The provided value for scope {scope} is not valid. Client credential \
                             flows must have a scope value with /.default suffixed to the resource \
                             identifier (application ID URI)."
                        ),
                    ));
                }
                if resource.replace(prefix).is_some_and(|before| before != prefix) {
                    return Err(invalid(scope));
                }
            }
        }
    }
    let resource = match resource {
        Some(resource) => known(resource)?.to_owned(),
        None if is_app => return Err(invalid(scope)),
        // A request for nothing but the user's profile gets a token for Microsoft Graph.
        None => RESOURCES[2].to_owned(),
    };
    Ok(Scopes { resource, openid, offline, text: scope.to_owned() })
}

/// Splits a scope into its resource and its name.
fn split(scope: &str) -> Option<(&str, &str)> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte);
    let (resource, name) = match scope.strip_suffix(DEFAULT) {
        Some(resource) => (resource, ".default"),
        None => scope.rsplit_once('/')?,
    };
    (scope.bytes().all(allowed) && !resource.is_empty() && !name.is_empty())
        .then_some((resource, name))
}

fn known(resource: &str) -> Result<&str, OAuthError> {
    let plain = resource.trim_end_matches('/').to_ascii_lowercase();
    let is_vault = CLOUDS.iter().any(|(suffix, _)| plain == format!("https://{suffix}"));
    let is_application = plain.trim_start_matches("api://") == APPLICATION.app_id;
    if is_vault || is_application || RESOURCES.contains(&plain.as_str()) || is_loopback(&plain) {
        return Ok(resource);
    }
    Err(OAuthError::with_text(
        500011,
        format!(
            "The resource principal named {resource} was not found in the tenant named Local. \
             This can happen if the application has not been installed by the administrator of \
             the tenant or consented to by any user in the tenant. You might have sent your \
             authentication request to the wrong tenant."
        ),
    ))
}

/// Whether this is the resource of a vault on loopback, whose port the system chooses.
fn is_loopback(resource: &str) -> bool {
    let uri = resource.parse::<Uri>().unwrap_or_default();
    uri.host().is_some_and(|host| {
        host == "127.0.0.1" || host == "localhost" || host.ends_with(".localhost")
    })
}

fn invalid(scope: &str) -> OAuthError {
    OAuthError::with_text(
        70011,
        format!(
            "The provided request must include a 'scope' input parameter. The provided value for \
             the input parameter 'scope' is not valid. The scope {scope} is not valid."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_for_one_known_resource() {
        let code = |error: OAuthError| format!("{error:?}");
        for (form, is_v1, is_app, expected) in [
            ("scope=https://vault.azure.net/.default", false, true, Ok("https://vault.azure.net")),
            (
                "scope=https://vault.azure.net/.default+openid+offline_access+profile",
                false,
                true,
                Ok("https://vault.azure.net"),
            ),
            (
                "scope=https://vault.azure.net//.default",
                false,
                true,
                Ok("https://vault.azure.net/"),
            ),
            ("scope=https://localhost:1/.default", false, true, Ok("https://localhost:1")),
            ("scope=http://127.0.0.1:1/.default", false, true, Ok("http://127.0.0.1:1")),
            ("resource=https://vault.azure.net", true, true, Ok("https://vault.azure.net")),
            ("scope=https://vault.azure.net/.default", true, true, Ok("https://vault.azure.net")),
            (
                "scope=https://vault.azure.net/user_impersonation",
                false,
                false,
                Ok("https://vault.azure.net"),
            ),
            ("scope=openid", false, false, Ok("https://graph.microsoft.com")),
            ("scope=https://vault.azure.net/user_impersonation", false, true, Err("1002012")),
            ("scope=https://vault.azure.net", false, true, Err("1002012")),
            ("scope=openid", false, true, Err("70011")),
            ("scope=a%22/.default", false, true, Err("70011")),
            (
                "scope=https://vault.azure.net/.default+https://ml.azure.com/.default",
                false,
                true,
                Err("70011"),
            ),
            ("scope=https://vault.example/.default", false, true, Err("500011")),
            ("resource=https://vault.example", true, true, Err("500011")),
            ("scope=", false, true, Err("900144")),
            ("", true, true, Err("900144")),
        ] {
            let scopes = parse(&Query::parse(Some(form)), is_v1, is_app);
            match (scopes, expected) {
                (Ok(scopes), Ok(resource)) => assert_eq!(scopes.resource, resource, "{form}"),
                (Err(error), Err(number)) => {
                    assert!(code(error).contains(&format!("Code({number})")), "{form}");
                }
                (scopes, _) => panic!("{form}: {scopes:?}"),
            }
        }
    }
}
