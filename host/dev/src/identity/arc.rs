//! The agent of a machine connected by Azure Arc: the first answer names a file that only some may
//! read, the second request shows what is in it.
//!
//! <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use http::{HeaderValue, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{Asked, Endpoints, Given, MANAGED, resource_id};
use crate::{files, limits, message};

pub(crate) const PATH: &str = "/arc/metadata/identity/oauth2/token";
const VERSIONS: [&str; 3] = ["2019-11-01", "2020-06-01", "2021-02-01"];

/// The keys that were asked for and not used yet.
pub(crate) struct Agent {
    folder: PathBuf,
    pending: Mutex<VecDeque<(PathBuf, SecretString)>>,
}

impl Agent {
    /// `folder` is where it puts the keys.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, pending: Mutex::default() }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a file with a new key.
    fn challenge(&self) -> std::io::Result<PathBuf> {
        let path = self.folder.join(format!("{}.key", Uuid::new_v4()));
        let key = SecretString::from(Uuid::new_v4().to_string());
        files::write_private(&path, key.expose_secret().as_bytes())?;
        let mut pending = self.pending();
        pending.push_back((path.clone(), key));
        if pending.len() > limits::ARC_KEYS
            && let Some((oldest, _)) = pending.pop_front()
        {
            // Whoever it was for went away; the folder goes at the end in any case.
            let _ = std::fs::remove_file(oldest);
        }
        Ok(path)
    }

    /// Whether this is a key of ours; once, then it is gone.
    fn accepts(&self, given: &str) -> bool {
        let mut pending = self.pending();
        let found = pending.iter().position(|(_, key)| {
            bool::from(key.expose_secret().as_bytes().ct_eq(given.as_bytes()))
        });
        let Some((path, _)) = found.and_then(|at| pending.remove(at)) else { return false };
        let _ = std::fs::remove_file(path);
        true
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, VecDeque<(PathBuf, SecretString)>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn answer(endpoints: &Endpoints, asked: &Asked<'_>) -> Given {
    if !asked.is_get() {
        return Given::refused(message::empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    if !asked.has_metadata() {
        return refused(StatusCode::BAD_REQUEST, "Required metadata header not specified");
    }
    if !asked.query.get("api-version").is_some_and(|version| VERSIONS.contains(&version)) {
        return refused(
            StatusCode::BAD_REQUEST,
            "Required query variable 'api-version' is missing or not supported",
        );
    }
    let Some(resource) = asked.query.filled("resource") else {
        return refused(StatusCode::BAD_REQUEST, "Required query variable 'resource' is missing");
    };
    let given = message::header(&asked.request.headers, "authorization");
    match given.and_then(|it| it.strip_prefix("Basic ")) {
        None => return challenge(&endpoints.agent),
        Some(key) if !endpoints.agent.accepts(key) => {
            return refused(StatusCode::FORBIDDEN, "The key is not the one that was asked for");
        }
        Some(_) => {}
    }
    let resource_id = resource_id();
    if asked.names_other(&[
        ("client_id", MANAGED.app_id),
        ("object_id", MANAGED.object_id),
        ("msi_res_id", &resource_id),
        ("mi_res_id", &resource_id),
    ]) {
        return refused(StatusCode::NOT_FOUND, "Identity not found");
    }
    let Some(token) = endpoints.token(&MANAGED, resource) else {
        return Given::refused(message::empty(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let echo = |name| asked.query.filled(name);
    let body = Body {
        access_token: token.expose(),
        expires_in: token.lifetime.to_string(),
        expires_on: token.expires.to_string(),
        not_before: token.not_before.to_string(),
        resource,
        token_type: "Bearer",
        client_id: echo("client_id"),
        object_id: echo("object_id"),
        msi_res_id: echo("msi_res_id").or_else(|| echo("mi_res_id")),
    };
    Given::token(message::json(StatusCode::OK, &body, body.access_token.len()), MANAGED.who)
}

/// Old agents do not look at the selector: who chose an identity is told which one it got.
#[derive(Serialize)]
struct Body<'a> {
    access_token: &'a str,
    expires_in: String,
    expires_on: String,
    not_before: String,
    resource: &'a str,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msi_res_id: Option<&'a str>,
}

fn challenge(agent: &Agent) -> Given {
    let Ok(path) = agent.challenge() else {
        return Given::refused(message::empty(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let mut answer = message::empty(StatusCode::UNAUTHORIZED);
    if let Ok(value) = HeaderValue::try_from(format!("Basic realm={}", path.display())) {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    Given::refused(answer)
}

fn refused(status: StatusCode, text: &str) -> Given {
    let body = json!({"error": "invalid_request", "error_description": text});
    Given::refused(message::json(status, &body, 0))
}
