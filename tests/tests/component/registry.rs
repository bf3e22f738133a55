//! An OCI registry in memory, with only the operations that `wkg` needs to push and to pull.
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md>

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ring::digest::{SHA256, digest};
use vaultlet_tests::server::{Answer, Request, Server};

/// Pushed content with its media type, by path.
type Stored = Arc<Mutex<HashMap<String, (String, Bytes)>>>;

pub(crate) struct Registry {
    server: Server,
    stored: Stored,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let stored = Stored::default();
        let inside = Arc::clone(&stored);
        Self { server: Server::plain(move |request| answer(request, &inside)), stored }
    }

    /// Host and port of the registry.
    pub(crate) fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.server.port())
    }

    /// The manifest of a tag.
    pub(crate) fn manifest(&self, name: &str, tag: &str) -> serde_json::Value {
        let stored = self.stored.lock().unwrap();
        let (_, manifest) = &stored[&format!("/v2/{name}/manifests/{tag}")];
        serde_json::from_slice(manifest).unwrap()
    }
}

/// The digest in OCI's form, `sha256:…`.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    format!("sha256:{}", digits.collect::<String>())
}

fn answer(request: &Request, stored: &Stored) -> Answer {
    let mut stored = stored.lock().unwrap();
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    match request.method.as_str() {
        "GET" | "HEAD" if path == "/v2/" => Answer::status(200),
        "GET" | "HEAD" => match stored.get(path) {
            Some((kind, bytes)) => Answer::status(200)
                .header("content-type", kind)
                .header("docker-content-digest", sha256(bytes))
                .bytes(bytes.clone()),
            None => Answer::status(404),
        },
        "POST" => {
            let upload = format!("{path}{}", stored.len());
            stored.insert(upload.clone(), (String::new(), Bytes::new()));
            Answer::status(202).header("location", upload)
        }
        "PATCH" => match stored.get_mut(path) {
            Some((_, held)) => {
                *held = [&held[..], &request.body].concat().into();
                let range = format!("0-{}", held.len().saturating_sub(1));
                Answer::status(202).header("location", path).header("range", range)
            }
            None => Answer::status(404),
        },
        "PUT" => put(request, path, query, &mut stored),
        _ => Answer::status(405),
    }
}

/// Stores a manifest, or completes the upload of a blob.
fn put(
    request: &Request,
    path: &str,
    query: &str,
    stored: &mut HashMap<String, (String, Bytes)>,
) -> Answer {
    let (bytes, beside) = match path.split_once("/blobs/uploads/") {
        Some((name, _)) => {
            let held = stored.remove(path).map(|(_, held)| held).unwrap_or_default();
            let bytes: Bytes = [&held[..], &request.body].concat().into();
            let said = query.strip_prefix("digest=").unwrap_or_default().replace("%3A", ":");
            if said != sha256(&bytes) {
                return Answer::json(400, r#"{"errors":[{"code":"DIGEST_INVALID"}]}"#);
            }
            (bytes, format!("{name}/blobs"))
        }
        None => {
            let kind = request.header("content-type").to_owned();
            stored.insert(path.into(), (kind, request.body.clone()));
            let (folder, _) = path.rsplit_once('/').unwrap();
            (request.body.clone(), folder.to_owned())
        }
    };
    let digest = sha256(&bytes);
    let location = format!("{beside}/{digest}");
    stored.insert(location.clone(), (request.header("content-type").to_owned(), bytes));
    Answer::status(201).header("location", location).header("docker-content-digest", digest)
}
