//! Keys of a plan, which sign for the role that was granted them at
//! `http://keys.vaultlet.internal/<name>`: no guest ever holds one, nor the password of its file.
//! The WIT of `plan` has the rules.

mod certificate;
mod cipher;
mod file;
mod pem;
mod pkcs12;
mod sign;

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use wasmtime_wasi_http::WasiBody;
use zeroize::Zeroizing;

use crate::files::read_whole;
use crate::inside::{answer, refusal};
use crate::limits;

use sign::Signer;

/// The name at which a role with that grant finds them; it resolves nowhere else.
pub(crate) const HOST: &str = "keys.vaultlet.internal";

/// One key. Its file is read anew for each request.
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) path: String,
    /// The variable with the password, which is named to people.
    pub(crate) password_variable: Option<String>,
    pub(crate) password: Option<Zeroizing<String>>,
}

/// What is wrong with a file.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    /// Encrypted, and the password does not open it.
    Password,
    /// Neither form that is known, or broken.
    Form(&'static str),
    NoKey,
    NoCertificate,
    /// None of its certificates is the key's.
    Foreign,
    NotRsa,
    Size,
}

type Refused = (StatusCode, String);

impl Key {
    /// Certificates for `GET`, a signature of the body for `POST`.
    pub(crate) async fn answer(self: &Arc<Self>, request: Request<WasiBody>) -> Response<WasiBody> {
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
        // Passwords are stretched for a second, and nobody else shall wait for that.
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
                let mut response = answer(StatusCode::OK, bytes);
                for (name, digest) in digests.into_iter().flatten() {
                    // Base64url is always a header's value.
                    if let Ok(value) = HeaderValue::try_from(digest) {
                        response.headers_mut().insert(name, value);
                    }
                }
                response
            }
            Err((status, what)) => {
                tracing::info!(target: "vaultlet", "the key `{}` is of no use: {what}", self.name);
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
