//! What a token is asked for: scopes of version 2, resources of version 1.
//!
//! <https://learn.microsoft.com/entra/identity-platform/scopes-oidc>

use http::Uri;

use super::errors::Trouble;
use crate::{doors::proxy::CLOUDS, identity::APPLICATION, message::Query};

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) resource: String,
    pub(super) openid: bool,
    pub(super) offline: bool,
    /// The scopes as they are answered.
    pub(super) text: String,
}

/// Resources of the cloud besides vaults, which a job's programs ask for.
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

/// Reads `scope`, or `resource` in requests of version 1.
pub(super) fn wanted(form: &Query, is_v1: bool, is_app: bool) -> Result<Wanted, Trouble> {
    if is_v1 && let Some(resource) = form.filled("resource") {
        return Ok(Wanted {
            resource: known(resource)?.to_owned(),
            openid: true,
            offline: true,
            text: "user_impersonation".to_owned(),
        });
    }
    let name = if is_v1 { "resource" } else { "scope" };
    let Some(scope) = form.filled(name).or_else(|| form.filled("scope")) else {
        let text = format!("The request body must contain the following parameter: '{name}'.");
        return Err(Trouble::say(900144, text));
    };
    let (mut resource, mut openid, mut offline) = (None, false, false);
    for word in scope.split_ascii_whitespace() {
        match word {
            "openid" => openid = true,
            "offline_access" => offline = true,
            "profile" | "email" => {}
            _ => {
                let (of, name) = split(word).ok_or_else(|| invalid(scope))?;
                if is_app && name != ".default" {
                    return Err(Trouble::say(
                        1002012,
                        format!(
                            "The provided value for scope {scope} is not valid. Client credential \
                             flows must have a scope value with /.default suffixed to the resource \
                             identifier (application ID URI)."
                        ),
                    ));
                }
                if resource.replace(of).is_some_and(|before| before != of) {
                    return Err(invalid(scope));
                }
            }
        }
    }
    let resource = match resource {
        Some(resource) => known(resource)?.to_owned(),
        None if is_app => return Err(invalid(scope)),
        // Who asks only who somebody is gets a token for Graph.
        None => RESOURCES[2].to_owned(),
    };
    Ok(Wanted { resource, openid, offline, text: scope.to_owned() })
}

/// Resource and name of one scope.
fn split(scope: &str) -> Option<(&str, &str)> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte);
    let (resource, name) = match scope.strip_suffix(DEFAULT) {
        Some(resource) => (resource, ".default"),
        None => scope.rsplit_once('/')?,
    };
    (scope.bytes().all(allowed) && !resource.is_empty() && !name.is_empty())
        .then_some((resource, name))
}

fn known(resource: &str) -> Result<&str, Trouble> {
    let plain = resource.trim_end_matches('/').to_ascii_lowercase();
    let is_vault = CLOUDS.iter().any(|(suffix, _)| plain == format!("https://{suffix}"));
    let is_ours = plain.trim_start_matches("api://") == APPLICATION.app_id;
    if is_vault || is_ours || RESOURCES.contains(&plain.as_str()) || is_loopback(&plain) {
        return Ok(resource);
    }
    Err(Trouble::say(
        500011,
        format!(
            "The resource principal named {resource} was not found in the tenant named Local. \
             This can happen if the application has not been installed by the administrator of \
             the tenant or consented to by any user in the tenant. You might have sent your \
             authentication request to the wrong tenant."
        ),
    ))
}

/// The vaults on loopback, whose ports are the system's choice.
fn is_loopback(resource: &str) -> bool {
    let uri = resource.parse::<Uri>().unwrap_or_default();
    uri.host().is_some_and(|host| {
        host == "127.0.0.1" || host == "localhost" || host.ends_with(".localhost")
    })
}

fn invalid(scope: &str) -> Trouble {
    Trouble::say(
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
    fn scopes_are_of_one_known_resource() {
        let code = |trouble: Trouble| format!("{trouble:?}");
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
            let wanted = wanted(&Query::parse(Some(form)), is_v1, is_app);
            match (wanted, expected) {
                (Ok(wanted), Ok(resource)) => assert_eq!(wanted.resource, resource, "{form}"),
                (Err(trouble), Err(number)) => {
                    assert!(code(trouble).contains(&format!("Code({number})")), "{form}");
                }
                (wanted, _) => panic!("{form}: {wanted:?}"),
            }
        }
    }
}
