//! Random secrets that one part of the host shows to another, or a child process to the host.

use zeroize::Zeroizing;

use crate::error::Error;

/// 256 random bits as 64 hexadecimal digits.
pub(crate) fn random_secret() -> Result<Zeroizing<String>, Error> {
    let mut bytes = Zeroizing::new([0u8; 32]);
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut *bytes)
        .map_err(|_| Error::internal("the system has no random numbers"))?;
    let mut digits = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    for digit in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        digits.extend(char::from_digit(digit.into(), 16));
    }
    Ok(digits)
}
