//! The local CA: generated at start, with its key in memory only and its certificate in the private
//! folder.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ::ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject as _},
};
use time::{Duration, OffsetDateTime};

use crate::{error::StartError, files::Folder, java, limits};

/// The CA that signs the certificates of the vaults and of the authority.
pub(crate) struct Ca {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Ca {
    /// Generates a CA and writes its certificate to the private folder.
    pub(crate) fn new(folder: &Folder) -> Result<(Self, CaFiles), StartError> {
        let mut params = params(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "vaultlet dev, local CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(defect)?;
        let certificate = params.self_signed(&key).map_err(defect)?;
        let roots = match std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()) {
            Some(file) => own_roots(&PathBuf::from(file))?,
            None => system_roots(),
        };
        let files = CaFiles::write(folder, &roots, certificate.der(), &certificate.pem())
            .map_err(StartError::system("writing the CA's certificate"))?;
        Ok((Self { certificate: certificate.into(), issuer: Issuer::new(params, key) }, files))
    }

    /// A TLS server configuration for these names, with HTTP/2 and HTTP/1.1.
    pub(crate) fn server(&self, names: Vec<String>) -> Result<Arc<ServerConfig>, StartError> {
        let mut params = params(names)?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().map_err(defect)?;
        let leaf = params.signed_by(&key, &self.issuer).map_err(defect)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        configure(vec![leaf.into(), self.certificate.clone()], key)
    }
}

/// A TLS server configuration with a self-signed certificate, and the certificate's SHA-1
/// thumbprint in hexadecimal.
pub(crate) fn self_signed(names: Vec<String>) -> Result<(Arc<ServerConfig>, String), StartError> {
    let mut params = params(names)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().map_err(defect)?;
    let certificate = params.self_signed(&key).map_err(defect)?;
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate.der());
    let thumbprint = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok((configure(vec![certificate.into()], key)?, thumbprint))
}

fn configure(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, StartError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(defect)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(defect)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Paths of the CA certificate, in the format of each kind of program.
pub(crate) struct CaFiles {
    alone: PathBuf,
    bundle: PathBuf,
    java: PathBuf,
}

impl CaFiles {
    /// The local CA alone, for settings that add to the built-in roots.
    pub(crate) fn alone(&self) -> &Path {
        &self.alone
    }

    /// The system's roots and the local CA, for settings that replace the built-in roots.
    pub(crate) fn bundle(&self) -> &Path {
        &self.bundle
    }

    /// The certificates of [`CaFiles::bundle`] as a Java truststore.
    pub(crate) fn java(&self) -> &Path {
        &self.java
    }

    fn write(
        folder: &Folder,
        roots: &[CertificateDer<'_>],
        der: &[u8],
        pem: &str,
    ) -> std::io::Result<Self> {
        let all = roots.iter().map(|root| root.as_ref()).chain([der]);
        Ok(Self {
            alone: folder.write("ca.pem", pem.as_bytes())?,
            bundle: folder.write("bundle.pem", (in_pem(roots) + pem).as_bytes())?,
            java: folder.write("truststore.jks", &java::truststore(all))?,
        })
    }
}

/// The roots that stand for the system's. The file is read whole, or is an error.
fn own_roots(file: &Path) -> Result<Vec<CertificateDer<'static>>, StartError> {
    let refused = |reason: String| StartError::Roots { file: file.to_owned(), reason };
    let metadata = std::fs::metadata(file).map_err(|error| refused(error.kind().to_string()))?;
    if !metadata.is_file() || metadata.len() > limits::ROOTS_MAX {
        return Err(refused("it is not a regular file, or it is too long".into()));
    }
    let text = std::fs::read(file).map_err(|error| refused(error.kind().to_string()))?;
    // Certificates that were joined without a newline.
    let text = String::from_utf8_lossy(&text).replace("----------BEGIN", "-----\n-----BEGIN");
    let text = text.trim_start_matches('\u{feff}');
    let read = CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<Vec<_>, _>>();
    let roots = read.map_err(|error| refused(error.to_string()))?;
    let begun = text.matches("BEGIN CERTIFICATE-").count();
    match roots.len() {
        0 => Err(refused("there is no certificate in it".into())),
        read if read != begun => {
            Err(refused(format!("{read} of its {begun} certificates can be read")))
        }
        _ => Ok(roots),
    }
}

/// The system's roots.
#[cfg(not(target_vendor = "apple"))]
fn system_roots() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// The system's roots, in the file that macOS has for programs without its own libraries.
#[cfg(target_vendor = "apple")]
fn system_roots() -> Vec<CertificateDer<'static>> {
    own_roots(Path::new("/etc/ssl/cert.pem")).unwrap_or_default()
}

/// Root certificates as PEM, which may be empty: minimal containers have no system roots.
fn in_pem(roots: &[CertificateDer<'_>]) -> String {
    let roots: Vec<_> =
        roots.iter().map(|root| pem::Pem::new("CERTIFICATE", root.to_vec())).collect();
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_many_config(&roots, config)
}

/// Certificate parameters for these names, with the validity of all certificates of this crate.
pub(crate) fn params(names: Vec<String>) -> Result<CertificateParams, StartError> {
    let mut params = CertificateParams::new(names).map_err(defect)?;
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::days(1);
    params.not_after = now + Duration::days(limits::CERTIFICATE_DAYS);
    Ok(params)
}

/// An error of the certificate libraries, which only a defect of this crate can cause.
pub(crate) fn defect(cause: impl std::fmt::Display) -> StartError {
    StartError::Certificate(cause.to_string())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::files;

    #[test]
    fn ca_files_are_private_contain_no_key_and_are_removed_with_the_folder() {
        let folder = files::private().unwrap();
        let (_, files) = Ca::new(&folder).unwrap();
        let alone = fs::read_to_string(files.alone()).unwrap();
        let bundle = fs::read_to_string(files.bundle()).unwrap();
        assert_eq!(alone.matches("BEGIN CERTIFICATE").count(), 1);
        assert!(bundle.ends_with(&alone));
        assert!(!bundle.contains("PRIVATE KEY"));
        let at = files.alone().parent().unwrap().to_path_buf();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&at).unwrap().permissions().mode() & 0o777, 0o700);
            for file in fs::read_dir(&at).unwrap() {
                let mode = file.unwrap().metadata().unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
            }
        }
        drop(folder);
        assert!(!at.exists());
    }

    #[test]
    fn each_ca_has_its_own_key() {
        let folders = [files::private().unwrap(), files::private().unwrap()];
        let (one, _) = Ca::new(&folders[0]).unwrap();
        let (other, _) = Ca::new(&folders[1]).unwrap();
        assert_ne!(one.certificate, other.certificate);
    }
}
