//! PKCS#12 (RFC 7292), as OpenSSL 1 and 3 and Windows write it.

use cms::content_info::ContentInfo;
use cms::encrypted_data::EncryptedData;
use hmac::{Hmac, Mac as _};
use pkcs8::ObjectIdentifier;
use pkcs8::der::asn1::{ContextSpecific, OctetString};
use pkcs8::der::{self, Any, Decode, Encode as _};
use pkcs12::authenticated_safe::AuthenticatedSafe;
use pkcs12::cert_type::CertBag;
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use pkcs12::mac_data::MacData;
use pkcs12::pbe_params::EncryptedPrivateKeyInfo;
use pkcs12::pfx::Pfx;
use pkcs12::safe_bag::{SafeBag, SafeContents};
use pkcs12::{PKCS_12_CERT_BAG_OID, PKCS_12_KEY_BAG_OID, PKCS_12_PKCS8_KEY_BAG_OID};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::cipher;
use super::fault::Fault;
use super::pkcs8::unwrap;

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

type Found = (Option<Zeroizing<Vec<u8>>>, Vec<Vec<u8>>);

fn malformed(_: der::Error) -> Fault {
    Fault::Form("its PKCS#12 is malformed, or not DER")
}

const NOT_PKCS12: Fault = Fault::Form(
    "it is neither PEM nor PKCS#12 in DER: a certificate or a key alone in DER is not enough",
);

/// Reads the first private key and all certificates.
pub(super) fn read(file: &[u8], password: Option<&str>) -> Result<Found, Fault> {
    let file = Pfx::from_der(file).map_err(|_| NOT_PKCS12)?;
    let content = data(&file.auth_safe)?;
    // Programs that write such files treat no password and an empty one alike.
    let password = password.unwrap_or_default();
    if let Some(mac) = &file.mac_data
        && !is_right(mac, &content, password)?
    {
        return Err(Fault::Password);
    }
    let (mut key, mut certificates) = (None, Vec::new());
    for part in AuthenticatedSafe::from_der(&content).map_err(malformed)? {
        let bags = match part.content_type {
            DATA => data(&part)?,
            ENCRYPTED_DATA => decrypted(&part, password)?,
            _ => continue,
        };
        for bag in SafeContents::from_der(&bags).map_err(malformed)? {
            match bag.bag_id {
                PKCS_12_CERT_BAG_OID => {
                    let certificate: CertBag = value(&bag)?;
                    certificates.push(certificate.cert_value.as_bytes().to_vec());
                }
                PKCS_12_KEY_BAG_OID if key.is_none() => {
                    let plain: Any = value(&bag)?;
                    let plain = Zeroizing::new(plain.to_der().map_err(malformed)?);
                    key = Some(unwrap(&plain)?);
                }
                PKCS_12_PKCS8_KEY_BAG_OID if key.is_none() => {
                    let info: EncryptedPrivateKeyInfo = value(&bag)?;
                    let data = info.encrypted_data.as_bytes();
                    let plain = cipher::decrypt(&info.encryption_algorithm, data, password)?;
                    key = Some(unwrap(&plain)?);
                }
                _ => {}
            }
        }
    }
    Ok((key, certificates))
}

fn data(info: &ContentInfo) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let content: OctetString = info.content.decode_as().map_err(malformed)?;
    Ok(Zeroizing::new(content.into_bytes()))
}

fn decrypted(info: &ContentInfo, password: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let content: EncryptedData = info.content.decode_as().map_err(malformed)?;
    let info = content.enc_content_info;
    let data = info.encrypted_content.as_ref().map(OctetString::as_bytes).unwrap_or_default();
    cipher::decrypt(&info.content_enc_alg, data, password)
}

/// The value of a bag, which is tagged.
fn value<T: for<'a> Decode<'a> + der::Tagged>(bag: &SafeBag) -> Result<T, Fault> {
    let tagged = ContextSpecific::<T>::from_der(&bag.bag_value).map_err(malformed)?;
    Ok(tagged.value)
}

/// Whether the MAC of the file was made with this password. An empty password has two encodings.
fn is_right(mac: &MacData, content: &[u8], password: &str) -> Result<bool, Fault> {
    macro_rules! verify {
        ($hash:ty, $length:expr) => {{
            let fits = |password: &[u8]| {
                let (salt, rounds) = (mac.mac_salt.as_bytes(), mac.iterations);
                let kind = Pkcs12KeyType::Mac;
                let key = derive_key::<$hash>(password, salt, kind, rounds, $length);
                let key = Zeroizing::new(key);
                Hmac::<$hash>::new_from_slice(&key).is_ok_and(|hmac| {
                    hmac.chain_update(content).verify_slice(mac.mac.digest.as_bytes()).is_ok()
                })
            };
            fits(&cipher::utf16(password)) || password.is_empty() && fits(&[])
        }};
    }
    Ok(match mac.mac.algorithm.oid {
        SHA1 => verify!(Sha1, 20),
        SHA256 => verify!(Sha256, 32),
        SHA384 => verify!(Sha384, 48),
        SHA512 => verify!(Sha512, 64),
        _ => return Err(Fault::Form("its MAC is of a kind that is not supported")),
    })
}
