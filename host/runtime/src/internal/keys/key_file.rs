//! Reads a key file: a private key and certificates, as PEM or PKCS#12.

use zeroize::Zeroizing;

use super::fault::Fault;
use super::{pem, pkcs12};

/// A private key as `RSAPrivateKey` (RFC 8017) in DER, and certificates in DER.
pub(super) struct Content {
    pub(super) key: Zeroizing<Vec<u8>>,
    pub(super) certificates: Vec<Vec<u8>>,
}

/// Reads PEM or PKCS#12, whichever the file is.
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
