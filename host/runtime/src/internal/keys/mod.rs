//! The service that signs with planned keys for the role that is granted them, at
//! `http://keys.vaultlet.internal/<name>`.
//!
//! No guest ever holds a key or the password of its file. The WIT of `plan` has the rules.

mod certificate;
mod cipher;
mod fault;
mod key_file;
mod pem;
mod pkcs12;
mod pkcs8;
mod sign;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::call::{Call, on_thread};
use crate::error::Error;
use crate::exhausted::exhausted;
use crate::file;
use crate::internal::service::{Served, Service, ServiceError};
use crate::limits;
use crate::net::{Method, Request, Response};

use fault::Fault;
use sign::Signer;

/// The service's host name.
const HOST: &str = "keys.vaultlet.internal";

/// The keys that sign for one role.
pub(crate) struct Keys(pub(crate) Vec<Arc<Key>>);

/// One key. The file is read again for each request.
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// The variable with the password; errors name it.
    pub(crate) password_variable: Option<String>,
    pub(crate) password: Option<Zeroizing<String>>,
}

impl Service for Keys {
    fn host(&self) -> &'static str {
        HOST
    }

    fn respond(&self, request: &Request, call: &Call) -> Result<Served, ServiceError> {
        let name = request.path().trim_start_matches('/');
        let key = self.0.iter().find(|key| key.name == name);
        let not_granted = || ServiceError::NotGranted(format!("the key `{name}`"));
        Ok(key.ok_or_else(not_granted)?.respond(request, call)?.into())
    }
}

type Refused = (u16, String);

impl Key {
    /// Certificates for `GET`, a signature of the body for `POST`.
    fn respond(self: &Arc<Self>, request: &Request, call: &Call) -> Result<Response, Error> {
        let algorithm = match (request.method, request.query()) {
            (Method::Get, "") => None,
            (Method::Post, query) if !query.is_empty() => match sign::algorithm(query) {
                Some(algorithm) => Some(algorithm),
                None => return Ok(Response::refusal(400, "no such algorithm")),
            },
            _ => return Ok(Response::refusal(405, "not what a key does")),
        };
        let message = request.body.clone().unwrap_or_default();
        if message.len() > limits::SIGNED_MAX {
            return Ok(Response::refusal(413, "too much to sign"));
        }
        let key = Arc::clone(self);
        // Deriving a key from a password can take a second, and the file may be on the network.
        let done = on_thread(call, move || {
            let signer = match key.load()? {
                Ok(signer) => signer,
                Err(refused) => return Ok::<_, Error>(Err(refused)),
            };
            let Some(algorithm) = algorithm else {
                let certificates = signer.certificates().into_bytes();
                return Ok(Ok((certificates, Some(signer.digests()))));
            };
            Ok(match signer.sign(algorithm, message.as_bytes()) {
                Some(signature) => Ok((signature, None)),
                None => Err((500, "signing failed".to_owned())),
            })
        })??;
        Ok(match done {
            Ok((body, digests)) => {
                let digests = digests.into_iter().flatten();
                let headers = digests.map(|(name, digest)| (name.to_owned(), digest.into_bytes()));
                Response { status: 200, headers: headers.collect(), body }
            }
            Err((status, what)) => {
                tracing::info!(target: "vaultlet", "the key `{}` cannot be used: {what}", self.name);
                Response::refusal(status, what)
            }
        })
    }

    /// The outer error is the call's.
    fn load(&self) -> Result<Result<Signer, Refused>, Error> {
        let content = file::read_secret(&self.path, limits::KEY_FILE_MAX);
        let doing = || format!("reading `{}`", file::shown(&self.path));
        let missing = content.as_ref().err().and_then(|error| exhausted(&doing(), error));
        missing.map_or_else(|| Ok(self.read(content)), Err)
    }

    fn read(&self, content: io::Result<Zeroizing<Vec<u8>>>) -> Result<Signer, Refused> {
        let path = file::shown(&self.path);
        let content = content.map_err(|error| {
            let (status, what) = match error.kind() {
                io::ErrorKind::NotFound => (404, file::describe(&error)),
                io::ErrorKind::FileTooLarge => {
                    let most = format!("it is longer than {} bytes", limits::KEY_FILE_MAX);
                    (422, most)
                }
                _ => (422, file::describe(&error)),
            };
            (status, format!("{path}: {what}"))
        })?;
        let password = self.password.as_ref().map(|password| password.as_str());
        let read = key_file::read(&content, password).and_then(Signer::new);
        read.map_err(|fault| (422, format!("{path}: {}", self.describe(&fault))))
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
            (Fault::Pem(malformed), ..) => return malformed.to_string(),
            (Fault::NoKey, ..) => "there is no private key in it",
            (Fault::NoCertificate, ..) => "there is no certificate in it",
            (Fault::Foreign, ..) => "none of its certificates belongs to its private key",
            (Fault::NotRsa, ..) => "its private key is not RSA",
            (Fault::Size, ..) => "its private key has not 2,048 to 4,096 bits",
        }
        .to_owned()
    }
}
