//! The agent of a machine connected by Azure Arc: its challenge names a file that only privileged
//! programs can read, and the caller proves itself by sending the file's contents.
//!
//! <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::{HeaderValue, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{
    Endpoints,
    reply::{Reply, TokenBody},
    request::Request,
};
use crate::{
    directory::who::{MANAGED, resource_id},
    files, limits, message,
};

pub(crate) const PATH: &str = "/arc/metadata/identity/oauth2/token";
const VERSIONS: [&str; 3] = ["2019-11-01", "2020-06-01", "2021-02-01"];

/// The agent, with the keys that it has handed out and that have not been used yet.
pub(crate) struct Agent {
    folder: PathBuf,
    pending: Mutex<VecDeque<(PathBuf, SecretString)>>,
}

impl Agent {
    /// An agent that writes its keys to `folder`.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, pending: Mutex::default() }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a new key to a file and returns the path.
    fn challenge(&self) -> std::io::Result<PathBuf> {
        let path = self.folder.join(format!("{}.key", Uuid::new_v4()));
        let key = SecretString::from(Uuid::new_v4().to_string());
        files::write_private(&path, key.expose_secret().as_bytes())?;
        let mut pending = self.pending();
        pending.push_back((path.clone(), key));
        if pending.len() > limits::ARC_KEYS
            && let Some((oldest, _)) = pending.pop_front()
        {
            // Its caller never came back. If this fails, the folder is still removed at the end.
            let _ = std::fs::remove_file(oldest);
        }
        Ok(path)
    }

    /// Whether this is a pending key; the key is used up then.
    fn accepts(&self, given: &str) -> bool {
        let mut pending = self.pending();
        let found = pending.iter().position(|(_, key)| {
            bool::from(key.expose_secret().as_bytes().ct_eq(given.as_bytes()))
        });
        let Some((path, _)) = found.and_then(|at| pending.remove(at)) else { return false };
        let _ = std::fs::remove_file(path);
        true
    }

    fn pending(&self) -> MutexGuard<'_, VecDeque<(PathBuf, SecretString)>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn respond(endpoints: &Endpoints, request: &Request<'_>) -> Reply {
    if !request.is_get() {
        return Reply::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    if !request.has_metadata() {
        let text = "Required metadata header not specified";
        return Reply::oauth_error(StatusCode::BAD_REQUEST, text);
    }
    if !request.query.get("api-version").is_some_and(|version| VERSIONS.contains(&version)) {
        let text = "Required query variable 'api-version' is missing or not supported";
        return Reply::oauth_error(StatusCode::BAD_REQUEST, text);
    }
    let Some(resource) = request.query.filled("resource") else {
        let text = "Required query variable 'resource' is missing";
        return Reply::oauth_error(StatusCode::BAD_REQUEST, text);
    };
    match request.header("authorization").and_then(|it| it.strip_prefix("Basic ")) {
        None => return challenge(&endpoints.agent),
        Some(key) if !endpoints.agent.accepts(key) => {
            let text = "The key is not the one that was asked for";
            return Reply::oauth_error(StatusCode::FORBIDDEN, text);
        }
        Some(_) => {}
    }
    let resource_id = resource_id();
    if request.names_other(&[
        ("client_id", MANAGED.app_id),
        ("object_id", MANAGED.object_id),
        ("msi_res_id", &resource_id),
        ("mi_res_id", &resource_id),
    ]) {
        return Reply::oauth_error(StatusCode::NOT_FOUND, "Identity not found");
    }
    let Some(token) = endpoints.token(&MANAGED, resource) else {
        return Reply::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let echo = |name| request.query.filled(name);
    let body = Body {
        token: TokenBody {
            expires_in: Some(token.lifetime.to_string()),
            not_before: Some(token.not_before.to_string()),
            ..TokenBody::in_strings(&token, resource)
        },
        client_id: echo("client_id"),
        object_id: echo("object_id"),
        msi_res_id: echo("msi_res_id").or_else(|| echo("mi_res_id")),
    };
    Reply::token(&body, &token, MANAGED.who)
}

/// A token response that repeats how the caller chose the identity.
///
/// Old agents ignore that choice; a response that repeats it shows that this one does not.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    token: TokenBody<'a, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msi_res_id: Option<&'a str>,
}

fn challenge(agent: &Agent) -> Reply {
    let Ok(path) = agent.challenge() else {
        return Reply::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = message::empty(StatusCode::UNAUTHORIZED);
    if let Ok(value) = HeaderValue::try_from(format!("Basic realm={}", path.display())) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    Reply::plain(response)
}
