//! Client authentication: a secret, or a signed assertion.
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use core::fmt::Write as _;

use super::{
    client::{ADFS, Client, Proof},
    connection,
};
use crate::{
    call::Call,
    context::{Context, FileError, Method, Request, Response},
    error::{Error, Id},
    limits, message, retry,
    source::denial::Denial,
    token::is_token,
    words::{
        form::Form,
        json::{self, Object},
        secret::SecretString,
        url::Url,
    },
};

/// The type of an assertion that is a JWT.
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The host's endpoint for the client's key.
const HOST: &str = "http://keys.vaultlet.internal/client-certificate";

/// Adds the client's proof to a form; `endpoint` is the audience of an assertion.
pub(super) fn add<C: Context>(
    call: &Call<'_, C>,
    client: &Client,
    endpoint: &Url,
    form: Form,
) -> Result<Form, Denial> {
    let assertion = match &client.proof {
        Proof::Nothing => return Ok(form),
        Proof::Secret(secret) => return Ok(form.text("client_secret", secret.reveal())),
        Proof::Certificate { chain, .. } => sign_assertion(call, client, endpoint, *chain)?,
        Proof::File(path) => match read_token_file(call, path)? {
            Some(token) => token,
            None => {
                let missing = FileError::Missing.describe();
                let path = message::plain(path);
                return Err(Denial::Absent(format!("the token file {path}: {missing}")));
            }
        },
        Proof::Pipelines(connection) => connection::token(call, connection)?,
    };
    let form = form.text("client_assertion", assertion.reveal());
    Ok(form.text("client_assertion_type", TYPE))
}

/// Reads a token from a file, which may be replaced by a newer one at any time. None if the file does not
/// exist.
pub(super) fn read_token_file<C: Context>(
    call: &Call<'_, C>,
    path: &str,
) -> Result<Option<SecretString>, Error> {
    let failed = |what: &str| {
        let path = message::plain(path);
        Error::new(Id::CredentialFile, format!("the token file {path}: {what}"))
    };
    let bytes = match call.context.read_file(path, limits::ASSERTION_FILE) {
        Ok(bytes) => bytes,
        Err(FileError::Missing) => return Ok(None),
        Err(why) => return Err(failed(why.describe())),
    };
    let text = core::str::from_utf8(&bytes).map_err(|_| failed("it is not text"))?.trim();
    if is_token(text) { Ok(Some(text.into())) } else { Err(failed("there is no token in it")) }
}

/// An assertion that is signed with the client's key: by PS256, which AD FS does not support, or RS256.
fn sign_assertion<C: Context>(
    call: &Call<'_, C>,
    client: &Client,
    endpoint: &Url,
    chain: bool,
) -> Result<SecretString, Error> {
    let is_adfs = client.tenant.eq_ignore_ascii_case(ADFS);
    let (algorithm, thumbprint, digest) = if is_adfs {
        ("RS256", "x5t", "vaultlet-sha1")
    } else {
        ("PS256", "x5t#S256", "vaultlet-sha256")
    };
    let certificates = call_key_endpoint(call, "", None)?;
    let digest = certificates.header(digest).ok_or_else(|| malformed("its host has no digest"))?;
    let mut header = Object::default();
    header.text("alg", algorithm).text("typ", "JWT").text(thumbprint, digest);
    if chain {
        let text = core::str::from_utf8(&certificates.body).unwrap_or_default();
        header.raw("x5c", &certificates_json(text));
    }
    let now = call.context.now();
    let claims = Object::default()
        .text("aud", &endpoint.to_string())
        .text("iss", &client.id)
        .text("sub", &client.id)
        .text("jti", &uuid(call.context))
        .some_number("nbf", Some(now))
        .some_number("iat", Some(now))
        .some_number("exp", Some(now.saturating_add(limits::ASSERTION)))
        .finish();
    let mut assertion = encoded(header.finish().as_bytes());
    assertion.push('.');
    assertion.push_str(&encoded(claims.as_bytes()));
    let query = format!("?algorithm={algorithm}");
    let signature = call_key_endpoint(call, &query, Some(assertion.as_str()))?;
    if signature.body.is_empty() {
        return Err(malformed("its host gave no signature"));
    }
    assertion.push('.');
    assertion.push_str(&encoded(&signature.body));
    Ok(assertion.into())
}

/// Sends a request to the host, which holds the key.
fn call_key_endpoint<C: Context>(
    call: &Call<'_, C>,
    query: &str,
    body: Option<&str>,
) -> Result<Response, Error> {
    if !call.context.has_host_services() {
        let what = "a certificate's key signs only at vaultlet's own host";
        return Err(Error::new(Id::HostRequired, what));
    }
    let url = Url::parse(&format!("{HOST}{query}")).map_err(malformed)?;
    let response = retry::send(call, &limits::ONCE, &|| Request {
        method: if body.is_some() { Method::Post } else { Method::Get },
        url: url.clone(),
        headers: Vec::new(),
        body: body.map(Into::into),
        connect_timeout: limits::IDENTITY_CONNECT,
        first_byte_timeout: limits::IDENTITY_FIRST_BYTE,
        total_timeout: limits::IDENTITY_FIRST_BYTE,
        max_body: limits::CERTIFICATES,
    })
    .map_err(|_| malformed("its host does not answer"))?;
    if response.status == 200 {
        return Ok(response);
    }
    let why = core::str::from_utf8(&response.body).unwrap_or_default();
    Err(malformed(&message::excerpt(why, &[])))
}

fn malformed(why: &str) -> Error {
    let what = format!("the certificate of `AZURE_CLIENT_CERTIFICATE_PATH`: {why}");
    Error::new(Id::CredentialFile, what)
}

/// Certificates in PEM as a JSON array of base64.
fn certificates_json(pem: &str) -> String {
    let items: Vec<_> = pem
        .split("-----BEGIN CERTIFICATE-----")
        .skip(1)
        .filter_map(|rest| rest.split_once("-----END"))
        .map(|(body, _)| body.split_whitespace().collect::<String>())
        .map(|body| format!("\"{body}\"").into())
        .collect();
    json::array(&items).as_str().to_owned()
}

fn encoded(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// A random UUID.
/// <https://www.rfc-editor.org/rfc/rfc9562#section-5.4>
fn uuid<C: Context>(context: &C) -> String {
    let mut bytes = [0; 16];
    context.random(&mut bytes);
    let mut number = u128::from_be_bytes(bytes);
    number = number & !(0xf << 76) | 0x4 << 76;
    number = number & !(0x3 << 62) | 0x2 << 62;
    let digits = format!("{number:032x}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        // Writing to a string cannot fail.
        let _ = text.write_char(digit);
    }
    text
}
