//! The client certificate of the application, with its private key.
//!
//! Entra accepts RSA keys only. Generating one is slow, so this happens only for the identity form
//! that needs it.

use rcgen::{DnType, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256};
use rsa::{RsaPrivateKey, pkcs8::EncodePrivateKey as _, rand_core::OsRng};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use crate::{
    ca::{defect, params},
    error::StartError,
    limits,
};

/// Generates a key and a certificate: both as one PEM text, and the certificate alone as DER.
pub(crate) fn generate() -> Result<(Zeroizing<String>, CertificateDer<'static>), StartError> {
    let key = RsaPrivateKey::new(&mut OsRng, limits::RSA_BITS).map_err(defect)?;
    let key = key.to_pkcs8_der().map_err(defect)?;
    let mut params = params(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "vaultlet dev, the job's application");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let der = PrivatePkcs8KeyDer::from(key.as_bytes());
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_RSA_SHA256).map_err(defect)?;
    let certificate = params.self_signed(&pair).map_err(defect)?;
    let mut text = Zeroizing::new(String::with_capacity(8 * 1024));
    let key = Zeroizing::new(pem::encode(&pem::Pem::new("PRIVATE KEY", key.as_bytes())));
    text.push_str(&key.replace("\r\n", "\n"));
    text.push_str(&certificate.pem().replace("\r\n", "\n"));
    Ok((text, certificate.into()))
}
