//! Why a request failed: a class of error for the guest, and a cause for people.

use std::error::Error as StdError;
use std::{fmt, io};

use crate::error::Error;
use crate::exhausted::exhausted;

use super::message::SendError;

/// A failure of transport.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The egress policy: the name is not granted, or none of its addresses is allowed.
    Denied(String),
    /// The name has no address.
    Name(String),
    /// Nothing listens there.
    Refused,
    /// No route, reset, and other faults of the network.
    Network(String),
    /// No connection within the time allowed.
    ConnectTimeout,
    /// Connected, and no response in time.
    ResponseTimeout,
    /// The server's certificate is not trusted.
    Certificate(String),
    /// The server does not speak TLS, or the handshake failed.
    Tls(String),
    /// The proxy refused or failed, and what to do about it.
    Proxy(String, &'static str),
    /// A body larger than the limit.
    TooLarge,
    /// A response that is not HTTP, or that ended early.
    Protocol(String),
    /// The call was cancelled, or its time has run out. Nothing of the call goes on.
    CallEnded(Box<Error>),
    /// This process or machine has no more of a resource, whatever the server. Nothing of the call goes on.
    Exhausted(Box<Error>),
}

impl Failure {
    /// The class of error for the component, which has no room for the text.
    pub(crate) fn class(&self) -> SendError {
        match self {
            Self::Denied(_) => SendError::Denied,
            Self::Name(_) => SendError::Name,
            Self::Refused => SendError::Refused,
            Self::Network(_) | Self::Proxy(..) => SendError::Unreachable,
            Self::ConnectTimeout | Self::ResponseTimeout | Self::CallEnded(_) => SendError::Timeout,
            Self::Exhausted(_) => SendError::Unreachable,
            Self::Certificate(_) => SendError::TlsUntrusted,
            Self::Tls(_) => SendError::TlsProtocol,
            Self::TooLarge => SendError::BodyTooLarge,
            Self::Protocol(_) => SendError::Protocol("it is not HTTP".into()),
        }
    }

    /// One word, for a trace.
    pub(crate) fn name(&self) -> &'static str {
        match self.class() {
            SendError::Denied => "denied",
            SendError::Name => "name",
            SendError::Refused => "refused",
            SendError::Unreachable => "unreachable",
            SendError::Timeout => "timeout",
            SendError::TlsUntrusted => "tls-untrusted",
            SendError::TlsProtocol => "tls-protocol",
            SendError::BodyTooLarge => "body-too-large",
            SendError::Protocol(_) => "protocol",
        }
    }

    /// The cause, where it says more than the class.
    pub(crate) fn cause(&self) -> Option<&str> {
        match self {
            Self::Denied(text)
            | Self::Name(text)
            | Self::Network(text)
            | Self::Certificate(text)
            | Self::Tls(text)
            | Self::Proxy(text, _)
            | Self::Protocol(text) => Some(text),
            Self::CallEnded(error) | Self::Exhausted(error) => Some(&error.message),
            Self::Refused | Self::ConnectTimeout | Self::ResponseTimeout | Self::TooLarge => None,
        }
    }

    /// What to do, where that follows from the cause and not from the class.
    pub(crate) fn help(&self) -> Option<&'static str> {
        match self {
            Self::Proxy(_, help) => Some(help),
            Self::Certificate(text) if text == OF_AUTHORITY => Some(FOR_SERVER),
            _ => None,
        }
    }

    pub(super) fn from_connect(error: &io::Error) -> Self {
        if let Some(error) = exhausted("opening a connection", error) {
            return Self::Exhausted(Box::new(error));
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::TimedOut => Self::ConnectTimeout,
            kind => Self::Network(kind.to_string()),
        }
    }

    /// A fault of a connection that was made.
    pub(super) fn from_io(error: &io::Error) -> Self {
        if let Some(error) = exhausted("using a connection", error) {
            return Self::Exhausted(Box::new(error));
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Self::Protocol("the connection closed before the response was complete".into())
            }
            kind => Self::Network(kind.to_string()),
        }
    }

    pub(super) fn from_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(reason) => {
                Self::Certificate(certificate_text(reason))
            }
            rustls::Error::InvalidMessage(_) => {
                Self::Tls("the server does not speak TLS on this port".into())
            }
            rustls::Error::AlertReceived(alert) => {
                Self::Tls(format!("the server ended the TLS handshake: {}", in_words(alert)))
            }
            rustls::Error::PeerIncompatible(why) => Self::Tls(format!(
                "the server and vaultlet have no form of TLS in common: {}",
                in_words(why)
            )),
            rustls::Error::PeerMisbehaved(why) => {
                Self::Tls(format!("the server breaks the rules of TLS: {}", in_words(why)))
            }
            other => Self::Tls(format!("the TLS handshake failed: {}", in_words(other))),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if error.is_exhausted() {
            return Self::Exhausted(Box::new(error));
        }
        Self::CallEnded(Box::new(error))
    }
}

const OF_AUTHORITY: &str =
    "its certificate is that of an authority (`CA:TRUE`), which a server may not show as its own";
const FOR_SERVER: &str = "give the server a certificate that is not an authority's (`openssl req -x509 -addext \
    basicConstraints=critical,CA:FALSE …`); as it is, `--ca-file` cannot make it trusted";

fn certificate_text(reason: &rustls::CertificateError) -> String {
    use rustls::CertificateError as E;
    match reason {
        // A bad signature comes from another CA of the same name, such as a test CA that was made
        // again.
        E::UnknownIssuer | E::BadSignature => {
            "its certificate was issued by an authority that is not trusted here".into()
        }
        E::Expired | E::ExpiredContext { .. } => "its certificate has expired".into(),
        E::NotValidYet | E::NotValidYetContext { .. } => {
            "its certificate is not valid yet; is this machine's clock right?".into()
        }
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            "its certificate is for another name".into()
        }
        // How the verifier of a pinned certificate refuses.
        E::ApplicationVerificationFailure => {
            "its certificate is not the one that was named by its thumbprint".into()
        }
        E::Revoked => "its certificate has been revoked".into(),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
            "its certificate is not for a server".into()
        }
        other => match in_words(other).as_str() {
            "ca used as end entity" => OF_AUTHORITY.into(),
            words => format!("its certificate was refused: {words}"),
        },
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
            Self::ConnectTimeout => f.write_str("no connection within the time allowed"),
            Self::ResponseTimeout => f.write_str("no response within the time allowed"),
            Self::TooLarge => f.write_str("the response is too large"),
            other => f.write_str(other.cause().unwrap_or("failed")),
        }
    }
}

impl StdError for Failure {}

/// The name of a reason that a library has as a value alone, in words: `Other(OtherError(CaUsedAsEndEntity))` as
/// `ca used as end entity`.
fn in_words(reason: &impl fmt::Debug) -> String {
    let text = format!("{reason:?}");
    // What comes with the reason may be the server's own.
    let name = text.split(['{', '[', '"']).next().unwrap_or_default().trim_end();
    let name = name.trim_end_matches(['(', ')']).rsplit('(').next().unwrap_or_default();
    let mut words = String::with_capacity(name.len() + 8);
    let mut is_after_small = false;
    for c in name.trim().chars() {
        if c.is_ascii_uppercase() && is_after_small {
            words.push(' ');
        }
        is_after_small = c.is_ascii_lowercase() || c.is_ascii_digit();
        words.push(c.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{
        AlertDescription, CertificateError as E, Error, OtherError, PeerIncompatible,
        PeerMisbehaved,
    };

    use super::*;

    /// How a verifier tells what has no name of its own.
    #[derive(Debug)]
    #[allow(dead_code, reason = "its name is shown")]
    enum Own {
        CaUsedAsEndEntity,
        PathLenConstraintViolated,
        Nested { code: u8 },
    }

    impl fmt::Display for Own {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{self:?}")
        }
    }

    impl StdError for Own {}

    #[test]
    fn reasons_are_told_in_words() {
        let own = |own| Error::from(E::Other(OtherError(Arc::new(own))));
        for (error, expected) in [
            (own(Own::CaUsedAsEndEntity), "an authority (`CA:TRUE`)"),
            (own(Own::PathLenConstraintViolated), "refused: path len constraint violated"),
            (own(Own::Nested { code: 7 }), "refused: nested"),
            (E::BadEncoding.into(), "refused: bad encoding"),
            (E::Revoked.into(), "has been revoked"),
            (E::UnhandledCriticalExtension.into(), "refused: unhandled critical extension"),
            (E::UnknownRevocationStatus.into(), "refused: unknown revocation status"),
            (E::InvalidPurpose.into(), "not for a server"),
            (Error::AlertReceived(AlertDescription::HandshakeFailure), "handshake failure"),
            (PeerIncompatible::NoCipherSuitesInCommon.into(), "no cipher suites in common"),
            (PeerMisbehaved::IllegalTlsInnerPlaintext.into(), "illegal tls inner plaintext"),
            (Error::DecryptError, "decrypt error"),
            (Error::General("S3cret".into()), "failed: general"),
        ] {
            let text = Failure::from_tls(&error).to_string();
            assert!(text.contains(expected), "{error:?}: {text}");
            assert!(!text.contains(['{', '"', '[']) && !text.contains("Other"), "{text}");
        }
    }
}
