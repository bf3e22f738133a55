//! The CA: made at start, its key only in memory, its certificate in a private folder.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use crate::{error::StartError, limits};

/// Signs the certificates of the vaults.
pub(crate) struct Ca {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Ca {
    /// Makes a CA and writes its certificate.
    pub(crate) fn new() -> Result<(Self, CaFiles), StartError> {
        let mut params = params(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "vaultlet dev, local CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(defect)?;
        let certificate = params.self_signed(&key).map_err(defect)?;
        let files = CaFiles::write(&certificate.pem())
            .map_err(StartError::system("writing the CA's certificate"))?;
        Ok((Self { certificate: certificate.into(), issuer: Issuer::new(params, key) }, files))
    }

    /// A TLS configuration that answers for these names, with HTTP/2 and HTTP/1.1.
    pub(crate) fn server(&self, names: Vec<String>) -> Result<Arc<ServerConfig>, StartError> {
        let mut params = params(names)?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().map_err(defect)?;
        let leaf = params.signed_by(&key, &self.issuer).map_err(defect)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(defect)?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.into(), self.certificate.clone()], key)
            .map_err(defect)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// The CA's certificate on disk; dropping this removes the folder.
pub(crate) struct CaFiles {
    _folder: TempDir,
    alone: PathBuf,
    bundle: PathBuf,
}

impl CaFiles {
    /// Our CA alone: for settings that add to the built-in roots.
    pub(crate) fn alone(&self) -> &Path {
        &self.alone
    }

    /// The system's roots and our CA: for settings that replace the built-in roots.
    pub(crate) fn bundle(&self) -> &Path {
        &self.bundle
    }

    fn write(certificate: &str) -> std::io::Result<Self> {
        let mut folder = tempfile::Builder::new();
        folder.prefix("vaultlet-dev-");
        #[cfg(unix)]
        folder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = folder.tempdir()?;
        let files = Self {
            alone: folder.path().join("ca.pem"),
            bundle: folder.path().join("bundle.pem"),
            _folder: folder,
        };
        fs::write(&files.alone, certificate)?;
        fs::write(&files.bundle, system_roots() + certificate)?;
        Ok(files)
    }
}

/// The system's roots in PEM; empty where it has none, as minimal containers do.
fn system_roots() -> String {
    let roots: Vec<_> = rustls_native_certs::load_native_certs()
        .certs
        .into_iter()
        .map(|root| pem::Pem::new("CERTIFICATE", root.to_vec()))
        .collect();
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_many_config(&roots, config)
}

fn params(names: Vec<String>) -> Result<CertificateParams, StartError> {
    let mut params = CertificateParams::new(names).map_err(defect)?;
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::days(1);
    params.not_after = now + Duration::days(limits::CERTIFICATE_DAYS);
    Ok(params)
}

fn defect(cause: impl std::fmt::Display) -> StartError {
    StartError::Certificate(cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_private_and_hold_no_key_and_go_with_the_ca() {
        let (_, files) = Ca::new().unwrap();
        let alone = fs::read_to_string(files.alone()).unwrap();
        let bundle = fs::read_to_string(files.bundle()).unwrap();
        assert_eq!(alone.matches("BEGIN CERTIFICATE").count(), 1);
        assert!(bundle.ends_with(&alone));
        assert!(!bundle.contains("PRIVATE KEY"));
        let folder = files.alone().parent().unwrap().to_path_buf();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        }
        drop(files);
        assert!(!folder.exists());
    }

    #[test]
    fn two_cas_do_not_share_a_key() {
        let (one, _) = Ca::new().unwrap();
        let (other, _) = Ca::new().unwrap();
        assert_ne!(one.certificate, other.certificate);
    }
}
