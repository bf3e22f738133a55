//! TLS trust: Mozilla's roots, which are compiled in; more roots by `--ca-file`; other roots by
//! `SSL_CERT_FILE`; and the trust that a plan sets for a single server.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, ConfigBuilder, DigitallySignedStruct,
    RootCertStore, SignatureScheme, WantsVerifier,
};
use subtle::ConstantTimeEq as _;

use crate::call::{Call, on_thread};
use crate::error::Error;
use crate::exhausted::exhausted;
use crate::{file, limits, pem};

use super::failure::Failure;
use super::server::Issuers;

/// The handle's TLS: versions 1.2 and 1.3 by ring, no client certificate, and no way to turn checks
/// off.
pub(crate) fn client_config(
    replacing: Option<&Path>,
    added: &[(String, PathBuf)],
) -> Result<Arc<ClientConfig>, Error> {
    let read = |origin: &str, path: &Path, roots| {
        add_file(path, roots)?.map_err(|what| {
            Error::configuration(
                "ca-file",
                format!("reading the certificates of `{origin}`: {what}"),
                "name a PEM file of CA certificates, every one of which can be read",
            )
        })
    };
    let mut roots = match replacing {
        Some(path) => read("SSL_CERT_FILE", path, RootCertStore::empty())?,
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
    };
    for (origin, path) in added {
        roots = read(origin, path, roots)?;
    }
    let builder = builder().map_err(|e| Error::internal(format!("preparing TLS: {e}")))?;
    Ok(config_with_roots(builder, roots))
}

/// TLS with roots for one server alone.
pub(super) fn private(issuers: Issuers, call: &Call) -> Result<Arc<ClientConfig>, Failure> {
    let read = match issuers {
        Issuers::Text(text) => {
            add(text.as_bytes(), RootCertStore::empty()).map_err(|what| format!("its text: {what}"))
        }
        // The file may be on a network file system.
        Issuers::File(path) => on_thread(call, move || add_file(&path, RootCertStore::empty()))??,
    };
    let roots = read.map_err(|what| {
        Failure::Certificate(format!("the CA certificates for it cannot be used: {what}"))
    })?;
    Ok(config_with_roots(builder().map_err(|e| Failure::Tls(e.to_string()))?, roots))
}

/// TLS that trusts one certificate, by its SHA-1.
pub(super) fn pinned(sha1: [u8; 20]) -> Result<Arc<ClientConfig>, Failure> {
    let builder = builder().map_err(|e| Failure::Tls(e.to_string()))?;
    let provider = Arc::clone(builder.crypto_provider());
    let verifier = Arc::new(Pinned { sha1, provider });
    let config = builder.dangerous().with_custom_certificate_verifier(verifier);
    Ok(finish(config.with_no_client_auth()))
}

/// A session that notes the certificates that a server shows, and refuses every one of them: nothing is ever
/// sent to that server.
pub(super) fn refusing(shown: Arc<Mutex<Vec<Vec<u8>>>>, host: &str) -> Option<ClientConnection> {
    let verifier = Arc::new(Refusing { shown });
    let config = builder().ok()?.dangerous().with_custom_certificate_verifier(verifier);
    let name = ServerName::try_from(host.to_owned()).ok()?;
    ClientConnection::new(finish(config.with_no_client_auth()), name).ok()
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()
}

fn config_with_roots(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    roots: RootCertStore,
) -> Arc<ClientConfig> {
    finish(builder.with_root_certificates(roots).with_no_client_auth())
}

fn finish(mut config: ClientConfig) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// Adds all certificates of a PEM file; the inner error names the file, the outer one says what this process lacks.
fn add_file(path: &Path, roots: RootCertStore) -> Result<Result<RootCertStore, String>, Error> {
    let shown = file::shown(path);
    let text = match file::read_public(path, limits::CA_FILE_MAX) {
        Ok(text) => Ok(text),
        Err(error) => match exhausted(&format!("reading the certificates of `{shown}`"), &error) {
            Some(missing) => return Err(missing),
            None => Err(file::describe(&error)),
        },
    };
    Ok(text.and_then(|text| add(&text, roots)).map_err(|what| format!("{shown}: {what}")))
}

/// Adds all certificates of a PEM text. One that cannot be read is an error that names its line: with
/// fewer certificates a connection would fail later, for a reason that nobody could see.
fn add(text: &[u8], mut roots: RootCertStore) -> Result<RootCertStore, String> {
    let before = roots.len();
    let mut der = Vec::new();
    for section in pem::sections(text).map_err(|malformed| malformed.to_string())? {
        let line = section.line;
        match section.label {
            "CERTIFICATE" | "X509 CERTIFICATE" => {
                section.decode(&mut der).map_err(|malformed| malformed.to_string())?;
                roots.add(CertificateDer::from(der.as_slice())).map_err(|_| {
                    format!("line {line}: the certificate that begins here is malformed")
                })?;
            }
            label @ ("TRUSTED CERTIFICATE" | "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA") => {
                return Err(format!(
                    "line {line}: certificates in the form `{label}` are not read"
                ));
            }
            _ => {}
        }
    }
    match roots.len() > before {
        true => Ok(roots),
        false => Err(pem::other_form(text).unwrap_or("there is no certificate in it").into()),
    }
}

/// Trusts no certificate.
#[derive(Debug)]
struct Refusing {
    shown: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl ServerCertVerifier for Refusing {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(leaf).chain(others).map(|der| der.to_vec()).collect();
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        Err(REFUSED)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(REFUSED)
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(REFUSED)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = rustls::crypto::ring::default_provider();
        provider.signature_verification_algorithms.supported_schemes()
    }
}

const REFUSED: rustls::Error =
    rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);

/// Trusts one certificate, whoever issued it and whatever name is in it. The handshake still proves
/// that the server holds the certificate's key.
#[derive(Debug)]
struct Pinned {
    sha1: [u8; 20],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found = digest(&SHA1_FOR_LEGACY_USE_ONLY, leaf);
        if bool::from(found.as_ref().ct_eq(&self.sha1)) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, leaf, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, leaf, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
