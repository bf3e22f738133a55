//! Keys and certificates in PEM, encrypted ones included.

use pkcs8::der::Decode as _;
use pkcs8::der::asn1::AnyRef;
use pkcs12::pbe_params::EncryptedPrivateKeyInfo;
use zeroize::Zeroizing;

use super::cipher;
use super::fault::Fault;
use super::pkcs8::unwrap;
use crate::pem::{Section, other_form, sections};

type Found = (Option<Zeroizing<Vec<u8>>>, Vec<Vec<u8>>);

const MALFORMED: Fault = Fault::Form("its key is malformed");

/// Reads the first private key and all certificates.
pub(super) fn read(file: &[u8], password: Option<&str>) -> Result<Found, Fault> {
    let (mut key, mut certificates) = (None, Vec::new());
    let mut is_pem = false;
    for section in sections(file).map_err(Fault::Pem)? {
        is_pem = true;
        match section.label {
            "CERTIFICATE" | "X509 CERTIFICATE" => {
                let mut der = Vec::new();
                section.decode(&mut der).map_err(Fault::Pem)?;
                certificates.push(der);
            }
            label if label.ends_with("PRIVATE KEY") && key.is_none() => {
                let mut der = Zeroizing::new(Vec::new());
                section.decode(&mut der).map_err(Fault::Pem)?;
                key = Some(private_key(&section, der, password)?);
            }
            _ => {}
        }
    }
    if !is_pem {
        return Err(Fault::Form(other_form(file).unwrap_or("it is neither PEM nor PKCS#12")));
    }
    Ok((key, certificates))
}

fn private_key(
    section: &Section<'_>,
    der: Zeroizing<Vec<u8>>,
    password: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    match (section.label, section.encryption) {
        ("PRIVATE KEY", _) => unwrap(&der),
        ("ENCRYPTED PRIVATE KEY", _) => {
            let info = EncryptedPrivateKeyInfo::from_der(&der).map_err(|_| MALFORMED)?;
            let data = info.encrypted_data.as_bytes();
            let password = password.ok_or(Fault::Password)?;
            let key = cipher::decrypt(&info.encryption_algorithm, data, password)?;
            // A wrong password can end in what only looks like padding.
            unwrap(&key).map_err(|fault| if fault == MALFORMED { Fault::Password } else { fault })
        }
        ("RSA PRIVATE KEY", None) => Ok(der),
        ("RSA PRIVATE KEY", Some(encryption)) => {
            let password = password.ok_or(Fault::Password)?;
            let key = cipher::decrypt_traditional(encryption, der, password)?;
            // As above.
            AnyRef::from_der(&key).map_err(|_| Fault::Password)?;
            Ok(key)
        }
        _ => Err(Fault::NotRsa),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One wrong password in 256 ends in what looks like padding.
    #[test]
    fn a_wrong_password_is_never_a_malformed_key() {
        let file = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
            DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n\
            AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n-----END RSA PRIVATE KEY-----\n";
        for number in 0..4000 {
            let read = read(file, Some(&number.to_string()));
            assert_eq!(read.err(), Some(Fault::Password), "{number}");
        }
    }
}
