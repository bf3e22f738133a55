//! From a file to its key and certificates.

use pkcs8::{ObjectIdentifier, PrivateKeyInfo};
use zeroize::Zeroizing;

use super::{Fault, pem, pkcs12};

/// `rsaEncryption`, RFC 8017.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A private key as `RSAPrivateKey` (RFC 8017), in DER, and certificates in DER.
pub(super) struct Content {
    pub(super) key: Zeroizing<Vec<u8>>,
    pub(super) certificates: Vec<Vec<u8>>,
}

/// Reads PEM or PKCS#12.
pub(super) fn read(file: &[u8], password: Option<&str>) -> Result<Content, Fault> {
    const SEQUENCE: u8 = 0x30;
    let (key, certificates) = match file.first() {
        Some(&SEQUENCE) => pkcs12::read(file, password)?,
        _ => pem::read(file, password)?,
    };
    let key = key.ok_or(Fault::NoKey)?;
    if certificates.is_empty() {
        return Err(Fault::NoCertificate);
    }
    Ok(Content { key, certificates })
}

/// The RSA key inside PKCS#8.
pub(super) fn unwrap(pkcs8: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let info = PrivateKeyInfo::try_from(pkcs8).map_err(|_| Fault::Form("its key is malformed"))?;
    if info.algorithm.oid != RSA {
        return Err(Fault::NotRsa);
    }
    Ok(Zeroizing::new(info.private_key.to_vec()))
}
