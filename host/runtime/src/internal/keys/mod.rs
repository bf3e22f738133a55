//! The service that signs with planned keys for the role that is granted them, at
//! `http://keys.vaultlet.internal/<name>`.
//!
//! No guest ever holds a key or the password of its file. The WIT of `plan` has the rules.

mod certificate;
mod cipher;
mod fault;
mod file;
mod pem;
mod pkcs12;
mod pkcs8;
mod sign;

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use wasmtime_wasi_http::WasiBody;
use zeroize::Zeroizing;

use crate::internal::files::read_whole;
use crate::internal::response::{refusal, response};
use crate::internal::service::{Service, ServiceError, ServiceFuture};
use crate::limits;

use fault::Fault;
use sign::Signer;

/// The service's host name.
const HOST: &str = "keys.vaultlet.internal";

/// The keys that sign for one role.
pub(crate) struct Keys(pub(crate) Vec<Arc<Key>>);

/// One key. The file is read again for each request.
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) path: String,
    /// The variable with the password; errors name it.
    pub(crate) password_variable: Option<String>,
    pub(crate) password: Option<Zeroizing<String>>,
}

impl Service for Keys {
    fn host(&self) -> &'static str {
        HOST
    }

    fn respond(&self, request: Request<WasiBody>) -> ServiceFuture<'_> {
        Box::pin(async move {
            let name = request.uri().path().trim_start_matches('/');
            let key = self.0.iter().find(|key| key.name == name);
            let not_granted = || ServiceError::NotGranted(format!("the key `{name}`"));
            let key = key.ok_or_else(not_granted)?;
            Ok(key.respond(request).await)
        })
    }
}

type Refused = (StatusCode, String);

impl Key {
    /// Certificates for `GET`, a signature of the body for `POST`.
    async fn respond(self: &Arc<Self>, request: Request<WasiBody>) -> Response<WasiBody> {
        let (parts, body) = request.into_parts();
        let algorithm = match (&parts.method, parts.uri.query()) {
            (&Method::GET, None) => None,
            (&Method::POST, Some(query)) => match sign::algorithm(query) {
                Some(algorithm) => Some(algorithm),
                None => return refusal(StatusCode::BAD_REQUEST, "no such algorithm"),
            },
            _ => return refusal(StatusCode::METHOD_NOT_ALLOWED, "not what a key does"),
        };
        let Ok(message) = Limited::new(body, limits::SIGNED_MAX).collect().await else {
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, "too much to sign");
        };
        let (key, message) = (Arc::clone(self), message.to_bytes());
        // Deriving a key from a password can take a second, and other calls must not wait for that.
        let done = tokio::task::spawn_blocking(move || {
            let signer = key.load()?;
            let Some(algorithm) = algorithm else {
                let digests = Some(signer.digests());
                return Ok((Bytes::from(signer.certificates()), digests));
            };
            match signer.sign(algorithm, &message) {
                Some(signature) => Ok((Bytes::from(signature), None)),
                None => Err((StatusCode::INTERNAL_SERVER_ERROR, "signing failed".to_owned())),
            }
        });
        let ended = || Err((StatusCode::INTERNAL_SERVER_ERROR, "reading it failed".to_owned()));
        match done.await.unwrap_or_else(|_| ended()) {
            Ok((bytes, digests)) => {
                let mut response = response(StatusCode::OK, bytes);
                for (name, digest) in digests.into_iter().flatten() {
                    // Base64url is always a valid header value.
                    if let Ok(value) = HeaderValue::try_from(digest) {
                        response.headers_mut().insert(name, value);
                    }
                }
                response
            }
            Err((status, what)) => {
                tracing::info!(target: "vaultlet", "the key `{}` cannot be used: {what}", self.name);
                refusal(status, what)
            }
        }
    }

    fn load(&self) -> Result<Signer, Refused> {
        let path = &self.path;
        let content = read_whole(Path::new(path), limits::KEY_FILE_MAX).map_err(|error| {
            let (status, what) = match error.kind() {
                io::ErrorKind::NotFound => (StatusCode::NOT_FOUND, "there is no such file".into()),
                io::ErrorKind::FileTooLarge => {
                    let most = format!("it is longer than {} bytes", limits::KEY_FILE_MAX);
                    (StatusCode::UNPROCESSABLE_ENTITY, most)
                }
                kind => (StatusCode::UNPROCESSABLE_ENTITY, kind.to_string()),
            };
            (status, format!("{path}: {what}"))
        })?;
        let password = self.password.as_ref().map(|password| password.as_str());
        let read = file::read(&content, password).and_then(Signer::new);
        read.map_err(|fault| {
            (StatusCode::UNPROCESSABLE_ENTITY, format!("{path}: {}", self.describe(&fault)))
        })
    }

    fn describe(&self, fault: &Fault) -> String {
        match (fault, &self.password_variable, &self.password) {
            (Fault::Password, Some(name), Some(_)) => {
                return format!("the password in `{name}` does not open it");
            }
            (Fault::Password, Some(name), None) => {
                return format!("it is encrypted, and `{name}` with its password is not set");
            }
            (Fault::Password, None, _) => "it is encrypted",
            (Fault::Form(what), ..) => what,
            (Fault::NoKey, ..) => "there is no private key in it",
            (Fault::NoCertificate, ..) => "there is no certificate in it",
            (Fault::Foreign, ..) => "none of its certificates belongs to its private key",
            (Fault::NotRsa, ..) => "its private key is not RSA",
            (Fault::Size, ..) => "its private key has not 2,048 to 4,096 bits",
        }
        .to_owned()
    }
}
