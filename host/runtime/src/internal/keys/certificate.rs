//! The certificate chain of a key (RFC 5280).

use pkcs8::der::Decode as _;
use x509_cert::Certificate;

use super::fault::Fault;

/// The certificate with this public key (`RSAPublicKey`, RFC 8017), followed by its issuers as far
/// as the file has them. Other certificates are left out.
pub(super) fn chain(certificates: Vec<Vec<u8>>, key: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
    let parsed = certificates.into_iter().map(|der| {
        let parsed = Certificate::from_der(&der);
        Ok((parsed.map_err(|_| Fault::Form("a certificate in it is malformed"))?, der))
    });
    let mut left = parsed.collect::<Result<Vec<_>, _>>()?;
    let is_own = |certificate: &Certificate| {
        let info = &certificate.tbs_certificate.subject_public_key_info;
        info.subject_public_key.raw_bytes() == key
    };
    let mut next = left.iter().position(|(c, _)| is_own(c));
    if next.is_none() {
        return Err(Fault::Foreign);
    }
    let mut chain = Vec::new();
    while let Some(at) = next {
        let (certificate, der) = left.remove(at);
        chain.push(der);
        let issuer = certificate.tbs_certificate.issuer;
        next = left.iter().position(|(c, _)| c.tbs_certificate.subject == issuer);
    }
    Ok(chain)
}
