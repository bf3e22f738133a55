//! Trust: Mozilla's roots as compiled in, more by `--ca-file`, others by `SSL_CERT_FILE`.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::error::Error;

/// The client's TLS: 1.2 and 1.3, ring, no client certificate, and no way to turn checks off.
pub(crate) fn client_config(
    replacing: Option<&Path>,
    added: &[(String, std::path::PathBuf)],
) -> Result<Arc<ClientConfig>, Error> {
    let mut roots = match replacing {
        Some(path) => read("SSL_CERT_FILE", path, RootCertStore::empty())?,
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
    };
    for (origin, path) in added {
        roots = read(origin, path, roots)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::internal(format!("preparing TLS: {e}")))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read(origin: &str, path: &Path, mut roots: RootCertStore) -> Result<RootCertStore, Error> {
    let refused = |what: String| {
        Error::configuration(
            "ca-file",
            format!("reading the certificates of `{origin}`: {}: {what}", path.display()),
            "name a PEM file with at least one CA certificate",
        )
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| refused(pem_text(&e)))?;
    let (trusted, _) = roots.add_parsable_certificates(certificates);
    if trusted == 0 {
        return Err(refused("no certificate in it can be used".into()));
    }
    Ok(roots)
}

fn pem_text(error: &rustls::pki_types::pem::Error) -> String {
    match error {
        rustls::pki_types::pem::Error::Io(io) => io.to_string().to_lowercase(),
        other => format!("not PEM: {other}"),
    }
}
