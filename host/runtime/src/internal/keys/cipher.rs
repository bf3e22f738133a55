//! Decryption of key files, old ciphers included: such files are read and never written.

use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipher, BlockDecryptMut, InnerIvInit as _, KeyInit, KeyIvInit as _};
use des::TdesEde3;
use md5::{Digest as _, Md5};
use pkcs5::pbes2;
use pkcs8::ObjectIdentifier;
use pkcs8::der::{Decode as _, Encode as _};
use pkcs8::spki::AlgorithmIdentifierOwned;
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use pkcs12::pbe_params::Pkcs12PbeParams;
use pkcs12::{PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC, PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC};
use rc2::Rc2;
use sha1::Sha1;
use zeroize::Zeroizing;

use super::fault::Fault;

/// The object identifier of PBES2 (RFC 8018).
const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const UNKNOWN: Fault = Fault::Form("it is encrypted in a way that is not supported");

type Plain = Zeroizing<Vec<u8>>;

/// Decrypts PBES2 (RFC 8018), and the two schemes of PKCS#12 (RFC 7292) that are still in use.
pub(super) fn decrypt(
    algorithm: &AlgorithmIdentifierOwned,
    data: &[u8],
    password: &str,
) -> Result<Plain, Fault> {
    let parameters = algorithm.parameters.as_ref().and_then(|p| p.to_der().ok()).ok_or(UNKNOWN)?;
    let mut plain = Zeroizing::new(data.to_vec());
    let length = match algorithm.oid {
        PBES2 => {
            let scheme = pbes2::Parameters::from_der(&parameters).map_err(|_| UNKNOWN)?;
            let decrypted = scheme.decrypt_in_place(password.as_bytes(), &mut plain);
            decrypted.map_err(|_| Fault::Password)?.len()
        }
        PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC => {
            let (key, iv) = derive_pkcs12(&parameters, password, 24)?;
            let cipher = Decryptor::<TdesEde3>::new_from_slices(&key, &iv).map_err(|_| UNKNOWN)?;
            unpad(cipher, &mut plain)?
        }
        PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC => {
            let (key, iv) = derive_pkcs12(&parameters, password, 5)?;
            let iv: [u8; 8] = iv.as_slice().try_into().map_err(|_| UNKNOWN)?;
            let cipher = Rc2::new_with_eff_key_len(&key, 40);
            unpad(Decryptor::inner_iv_init(cipher, &iv.into()), &mut plain)?
        }
        _ => return Err(UNKNOWN),
    };
    plain.truncate(length);
    Ok(plain)
}

/// Decrypts OpenSSL's traditional form, `AES-256-CBC,<iv>`: the key is MD5 over the password and
/// the first bytes of the IV.
pub(super) fn decrypt_traditional(
    encryption: &str,
    mut data: Plain,
    password: &str,
) -> Result<Plain, Fault> {
    let (name, iv) = encryption.split_once(',').ok_or(UNKNOWN)?;
    let iv = base16(iv.trim()).ok_or(UNKNOWN)?;
    let salt = iv.get(..8).ok_or(UNKNOWN)?;
    let key = |length| {
        let mut key = Zeroizing::new(Vec::with_capacity(48));
        let mut last: Zeroizing<[u8; 16]> = Zeroizing::default();
        while key.len() < length {
            let mut hash = Md5::new();
            if !key.is_empty() {
                hash.update(last.as_slice());
            }
            hash.update(password);
            hash.update(salt);
            *last = hash.finalize().into();
            key.extend_from_slice(&*last);
        }
        key.truncate(length);
        key
    };
    let length = match name {
        "AES-128-CBC" => traditional::<Aes128>(&key(16), &iv, &mut data),
        "AES-192-CBC" => traditional::<Aes192>(&key(24), &iv, &mut data),
        "AES-256-CBC" => traditional::<Aes256>(&key(32), &iv, &mut data),
        "DES-EDE3-CBC" => traditional::<TdesEde3>(&key(24), &iv, &mut data),
        _ => Err(UNKNOWN),
    }?;
    data.truncate(length);
    Ok(data)
}

fn traditional<C: BlockCipher + BlockDecryptMut + KeyInit>(
    key: &[u8],
    iv: &[u8],
    data: &mut [u8],
) -> Result<usize, Fault> {
    unpad(Decryptor::<C>::new_from_slices(key, iv).map_err(|_| UNKNOWN)?, data)
}

fn unpad(cipher: impl BlockDecryptMut, data: &mut [u8]) -> Result<usize, Fault> {
    let plain = cipher.decrypt_padded_mut::<Pkcs7>(data).map_err(|_| Fault::Password)?;
    Ok(plain.len())
}

/// Derives key and IV (RFC 7292, appendix B).
fn derive_pkcs12(
    parameters: &[u8],
    password: &str,
    length: usize,
) -> Result<(Plain, Plain), Fault> {
    let parameters = Pkcs12PbeParams::from_der(parameters).map_err(|_| UNKNOWN)?;
    let password = utf16(password);
    let derive = |what, length| {
        let salt = parameters.salt.as_bytes();
        let derived = derive_key::<Sha1>(&password, salt, what, parameters.iterations, length);
        Zeroizing::new(derived)
    };
    Ok((derive(Pkcs12KeyType::EncryptionKey, length), derive(Pkcs12KeyType::Iv, 8)))
}

/// A password as PKCS#12 encodes it: UTF-16, big-endian, with a terminating zero.
pub(super) fn utf16(password: &str) -> Plain {
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * password.len() + 2));
    bytes.extend(password.encode_utf16().chain([0]).flat_map(u16::to_be_bytes));
    bytes
}

fn base16(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}
