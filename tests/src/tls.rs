//! Certificates for one test run, valid and invalid ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    KeyUsagePurpose,
};
use ring::digest::SHA1_FOR_LEGACY_USE_ONLY;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};
use tokio_rustls::TlsAcceptor;

/// A CA whose key stays in memory and whose certificate is in a private folder.
pub struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A server's certificate and key.
pub struct Leaf {
    acceptor: TlsAcceptor,
    sha1: String,
}

impl Default for Ca {
    fn default() -> Self {
        let made = || -> Result<Self, Box<dyn std::error::Error>> {
            let mut parameters = CertificateParams::new(Vec::new())?;
            let mut name = DistinguishedName::new();
            name.push(DnType::CommonName, "vaultlet test CA");
            parameters.distinguished_name = name;
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
            let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?;
            let folder = tempfile::tempdir()?;
            std::fs::write(folder.path().join("ca.pem"), issuer.pem())?;
            Ok(Self { issuer, folder })
        };
        made().unwrap_or_else(|error| unreachable!("no CA: {error}"))
    }
}

impl Ca {
    /// The file with the CA's certificate in PEM.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The private folder with the certificate.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A certificate for the names that is valid today.
    pub fn leaf(&self, names: &[&str]) -> Leaf {
        let now = OffsetDateTime::now_utc();
        self.issue(names, now - Duration::days(1), now + Duration::days(1))
    }

    /// A certificate for the names that was valid until yesterday.
    pub fn expired_leaf(&self, names: &[&str]) -> Leaf {
        let now = OffsetDateTime::now_utc();
        self.issue(names, now - Duration::days(3), now - Duration::days(1))
    }

    /// A certificate of an authority, which it has signed itself, as `openssl req -x509` makes it, in a file of
    /// this folder, too.
    pub fn own_leaf(&self, names: &[&str]) -> (Leaf, PathBuf) {
        let made = || -> Result<_, Box<dyn std::error::Error>> {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let mut parameters = CertificateParams::new(names)?;
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate()?;
            let certificate = parameters.self_signed(&key)?;
            let path = self.folder.path().join("own.pem");
            std::fs::write(&path, certificate.pem())?;
            Ok((shown(certificate.der(), &key)?, path))
        };
        made().unwrap_or_else(|error| unreachable!("no certificate: {error}"))
    }

    fn issue(&self, names: &[&str], from: OffsetDateTime, to: OffsetDateTime) -> Leaf {
        let made = || -> Result<Leaf, Box<dyn std::error::Error>> {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let mut parameters = CertificateParams::new(names)?;
            (parameters.not_before, parameters.not_after) = (from, to);
            let key = KeyPair::generate()?;
            let certificate = parameters.signed_by(&key, &self.issuer)?;
            shown(certificate.der(), &key)
        };
        made().unwrap_or_else(|error| unreachable!("no certificate: {error}"))
    }
}

/// What a server needs to show a certificate.
fn shown(
    certificate: &CertificateDer<'static>,
    key: &KeyPair,
) -> Result<Leaf, Box<dyn std::error::Error>> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)?;
    let sha1 = ring::digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate);
    let sha1 = sha1.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Leaf { acceptor: TlsAcceptor::from(Arc::new(config)), sha1 })
}

impl Leaf {
    /// The certificate's thumbprint: 40 hexadecimal digits in lower case.
    pub fn sha1(&self) -> &str {
        &self.sha1
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }
}
