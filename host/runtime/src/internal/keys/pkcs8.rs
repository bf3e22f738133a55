//! PKCS#8 (RFC 5208), in which PEM and PKCS#12 wrap a private key.

use ::pkcs8::{ObjectIdentifier, PrivateKeyInfo};
use zeroize::Zeroizing;

use super::fault::Fault;

/// The object identifier `rsaEncryption` (RFC 8017).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Unwraps the RSA key inside PKCS#8.
pub(super) fn unwrap(pkcs8: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let info = PrivateKeyInfo::try_from(pkcs8).map_err(|_| Fault::Form("its key is malformed"))?;
    if info.algorithm.oid != RSA {
        return Err(Fault::NotRsa);
    }
    Ok(Zeroizing::new(info.private_key.to_vec()))
}
