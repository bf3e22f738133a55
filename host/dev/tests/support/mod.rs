//! An HTTP client that exposes status, headers and body, with a choice of HTTP version and trust.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
#![allow(dead_code, reason = "not every test file uses all of it")]

use std::{net::SocketAddr, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use vaultlet_dev::Local;

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// SHA-1 thumbprint of the server's certificate, if it was not verified.
    pub(crate) thumbprint: Option<String>,
}

impl Reply {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// Options of a request, besides its URL.
#[derive(Clone, Default)]
pub(crate) struct Options<'a> {
    pub(crate) method: Method,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a str,
    pub(crate) h2: bool,
    /// Accepts any server certificate.
    pub(crate) trusting: bool,
}

/// Sends a request on a new connection, through the proxy if the URL has a real name.
pub(crate) async fn send(local: &Local, url: &str, with: Options<'_>) -> Reply {
    let uri: Uri = url.parse().unwrap();
    let host = uri.host().unwrap();
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    if uri.scheme_str() == Some("http") {
        let stream = TcpStream::connect(address(uri.port_u16().unwrap())).await.unwrap();
        return exchange(stream, &uri, with).await;
    }
    let stream = match uri.port_u16() {
        Some(port) => TcpStream::connect(address(port)).await.unwrap(),
        None => {
            let (stream, status) = connect(local, &format!("{host}:443")).await;
            assert_eq!(status, 200, "CONNECT {host}");
            stream
        }
    };
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream =
        TlsConnector::from(Arc::new(trust(local, &with))).connect(name, stream).await.unwrap();
    let spoken = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    assert_eq!(spoken, Some(if with.h2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }));
    let thumbprint = with.trusting.then(|| {
        let certificate = &stream.get_ref().1.peer_certificates().unwrap()[0];
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, certificate);
        digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
    });
    Reply { thumbprint, ..exchange(stream, &uri, with).await }
}

/// Accepts any server certificate, as clients of Service Fabric do before they compare the
/// thumbprint.
#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// Sends a CONNECT request to the proxy, and returns the status of the response.
pub(crate) async fn connect(local: &Local, authority: &str) -> (TcpStream, u16) {
    let proxy: Uri = local.proxy().parse().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", proxy.port_u16().unwrap())).await.unwrap();
    let request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    (stream, head.split(' ').nth(1).unwrap().parse().unwrap())
}

fn trust(local: &Local, with: &Options<'_>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(local.ca_file()).unwrap()).unwrap();
    let mut config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    if with.trusting {
        config.dangerous().set_certificate_verifier(Arc::new(Trusting));
    }
    config.alpn_protocols = vec![if with.h2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    config
}

async fn exchange<S>(stream: S, uri: &Uri, with: Options<'_>) -> Reply
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(stream);
    let authority = uri.authority().unwrap().as_str();
    let target = uri.path_and_query().unwrap().as_str();
    let body = Full::new(Bytes::copy_from_slice(with.body.as_bytes()));
    let mut request = Request::builder().method(with.method);
    for (name, value) in with.headers {
        request = request.header(*name, *value);
    }
    let has_host = with.headers.iter().any(|(name, _)| *name == "host");
    let response = if with.h2 {
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request.uri(uri).body(body).unwrap()).await.unwrap()
    } else {
        let (mut sender, connection) = http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        if !has_host {
            request = request.header("host", authority);
        }
        let request = request.uri(target).body(body).unwrap();
        sender.send_request(request).await.unwrap()
    };
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    Reply { status: parts.status, headers: parts.headers, text, thumbprint: None }
}

/// The value of a variable in the job's environment.
pub(crate) fn variable<'a>(local: &'a Local, name: &str) -> &'a str {
    let found = local.environment().iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("{name} is not set"))
}

/// A token for the managed identity, from Azure ML's endpoint.
pub(crate) async fn managed_token(local: &Local, resource: &str) -> String {
    let url =
        format!("{}?api-version=2017-09-01&resource={resource}", variable(local, "MSI_ENDPOINT"));
    let headers = [("secret", variable(local, "MSI_SECRET"))];
    let reply = send(local, &url, Options { headers: &headers, ..Options::default() }).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

/// A token for the job's user, from Azure ML's endpoint.
pub(crate) async fn user_token(local: &Local, resource: &str) -> String {
    let url = format!("{}?resource={resource}", variable(local, "OBO_ENDPOINT"));
    let reply = send(local, &url, Options::default()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

/// The public cloud's authority at its real name.
pub(crate) const REAL: &str = "https://login.microsoftonline.com";

/// The token endpoint of a tenant.
pub(crate) fn token_url(authority: &str, tenant: &str) -> String {
    format!("{authority}/{tenant}/oauth2/v2.0/token")
}

/// The body of a form.
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A valid token request of the application by its secret, followed by `more`.
pub(crate) fn client_form(local: &Local, more: &str) -> String {
    let app = local.application();
    let body = form(&[
        ("grant_type", "client_credentials"),
        ("client_id", app.client_id()),
        ("client_secret", app.secret()),
        ("scope", "https://vault.azure.net/.default"),
    ]);
    body + more
}

/// Sends a form by POST.
pub(crate) async fn post_form(local: &Local, url: &str, body: &str) -> Reply {
    let headers = &[("content-type", "application/x-www-form-urlencoded")];
    send(local, url, Options { method: Method::POST, headers, body, ..Options::default() }).await
}

/// The access token that a form obtains from the home tenant.
pub(crate) async fn token_with(local: &Local, body: &str) -> String {
    let reply = post_form(local, &token_url(REAL, local.application().tenant()), body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

/// The number in an error response of the authority.
pub(crate) fn error_code(error: &serde_json::Value) -> u64 {
    error["error_codes"][0].as_u64().unwrap_or_else(|| panic!("no code in {error}"))
}

/// The claims of a token.
pub(crate) fn claims_of(token: &str) -> serde_json::Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
