//! PEM (RFC 7468), and OpenSSL's older encrypted form of it (RFC 1421, section 4.6).

use base64ct::{Base64, Encoding as _};
use pkcs8::der::Decode as _;
use pkcs12::pbe_params::EncryptedPrivateKeyInfo;
use zeroize::Zeroizing;

use super::cipher;
use super::fault::Fault;
use super::pkcs8::unwrap;

type Found = (Option<Zeroizing<Vec<u8>>>, Vec<Vec<u8>>);

const MALFORMED: Fault = Fault::Form("its key is malformed");
const BROKEN: Fault = Fault::Form("its PEM is malformed");

/// Reads the first private key and all certificates.
pub(super) fn read(file: &[u8], password: Option<&str>) -> Result<Found, Fault> {
    let sections = sections(file)?;
    if sections.is_empty() {
        return Err(Fault::Form("it is neither PEM nor PKCS#12"));
    }
    let (mut key, mut certificates) = (None, Vec::new());
    for section in sections {
        match section.label {
            "CERTIFICATE" => certificates.push(section.der.to_vec()),
            label if label.ends_with("PRIVATE KEY") && key.is_none() => {
                key = Some(section.key(password)?);
            }
            _ => {}
        }
    }
    Ok((key, certificates))
}

/// What stands between a BEGIN and an END line.
struct Section<'a> {
    label: &'a str,
    /// The value of `DEK-Info`, which only the older encrypted form has.
    encryption: Option<&'a str>,
    der: Zeroizing<Vec<u8>>,
}

fn sections(file: &[u8]) -> Result<Vec<Section<'_>>, Fault> {
    let mut sections = Vec::new();
    let mut lines = file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    while let Some(line) = lines.next() {
        let label = line.strip_prefix(b"-----BEGIN ").and_then(|l| l.strip_suffix(b"-----"));
        let Some(label) = label.and_then(|label| str::from_utf8(label).ok()) else { continue };
        let (mut encryption, mut text) = (None, Zeroizing::new(Vec::with_capacity(file.len())));
        loop {
            let line = lines.next().ok_or(BROKEN)?;
            if line.starts_with(b"-----END ") {
                break;
            }
            match line.strip_prefix(b"DEK-Info:") {
                Some(value) => encryption = str::from_utf8(value.trim_ascii()).ok(),
                None if line.contains(&b':') => {}
                None => text.extend_from_slice(line),
            }
        }
        let length = Base64::decode_in_place(&mut text).map_err(|_| BROKEN)?.len();
        text.truncate(length);
        sections.push(Section { label, encryption, der: text });
    }
    Ok(sections)
}

impl Section<'_> {
    fn key(self, password: Option<&str>) -> Result<Zeroizing<Vec<u8>>, Fault> {
        match (self.label, self.encryption) {
            ("PRIVATE KEY", _) => unwrap(&self.der),
            ("ENCRYPTED PRIVATE KEY", _) => {
                let info = EncryptedPrivateKeyInfo::from_der(&self.der).map_err(|_| MALFORMED)?;
                let data = info.encrypted_data.as_bytes();
                let password = password.ok_or(Fault::Password)?;
                let key = cipher::decrypt(&info.encryption_algorithm, data, password)?;
                // A wrong password can end in what only looks like padding.
                unwrap(&key)
                    .map_err(|fault| if fault == MALFORMED { Fault::Password } else { fault })
            }
            ("RSA PRIVATE KEY", None) => Ok(self.der),
            ("RSA PRIVATE KEY", Some(encryption)) => {
                let password = password.ok_or(Fault::Password)?;
                cipher::decrypt_traditional(encryption, self.der, password)
            }
            _ => Err(Fault::NotRsa),
        }
    }
}
