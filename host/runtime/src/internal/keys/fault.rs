//! What can be wrong with a key file.

use crate::pem::Malformed;

/// Why a key file cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The file is encrypted, and the password does not open it.
    Password,
    /// The file has neither of the known forms, or is broken.
    Form(&'static str),
    /// The PEM cannot be read at some place.
    Pem(Malformed),
    /// The file holds no private key.
    NoKey,
    /// The file holds no certificate.
    NoCertificate,
    /// None of the certificates belongs to the key.
    Foreign,
    /// The key is not an RSA key.
    NotRsa,
    /// The key is shorter or longer than is supported.
    Size,
}
