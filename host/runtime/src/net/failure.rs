//! Why a request failed: a class of error for the guest, and a cause for people.

use std::error::Error as StdError;
use std::fmt;

use wasmtime_wasi_http::Error as Wasi;

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
    /// The proxy refused or failed.
    Proxy(String),
    /// A body larger than the limit.
    TooLarge,
    /// A response that is not HTTP, or that ended early.
    Protocol(String),
}

impl Failure {
    /// The class of error for the guest; WASI's error codes have no room for text.
    pub(crate) fn into_wasi(self) -> Wasi {
        match self {
            Self::Denied(_) => Wasi::HttpRequestDenied,
            Self::Name(text) => Wasi::DnsError { rcode: Some(text), info_code: None },
            Self::Refused => Wasi::ConnectionRefused,
            Self::Network(_) | Self::Proxy(_) => Wasi::DestinationUnavailable,
            Self::ConnectTimeout => Wasi::ConnectionTimeout,
            Self::ResponseTimeout => Wasi::ConnectionReadTimeout,
            Self::Certificate(_) => Wasi::TlsCertificateError,
            Self::Tls(_) => Wasi::TlsProtocolError,
            Self::TooLarge => Wasi::HttpResponseBodySize(Some(crate::limits::BODY_MAX as u64)),
            Self::Protocol(_) => Wasi::HttpProtocolError,
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
            | Self::Proxy(text)
            | Self::Protocol(text) => Some(text),
            Self::Refused | Self::ConnectTimeout | Self::ResponseTimeout | Self::TooLarge => None,
        }
    }

    pub(crate) fn from_connect(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::ConnectionRefused => Self::Refused,
            std::io::ErrorKind::TimedOut => Self::ConnectTimeout,
            _ => Self::Network(error.kind().to_string()),
        }
    }

    pub(crate) fn from_tls(error: &std::io::Error) -> Self {
        match error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(reason)) => {
                Self::Certificate(certificate_text(reason))
            }
            Some(rustls::Error::InvalidMessage(_)) => {
                Self::Tls("the server does not speak TLS on this port".into())
            }
            Some(other) => Self::Tls(other.to_string()),
            None => Self::Tls(format!("the TLS handshake ended early: {}", error.kind())),
        }
    }

    /// The failure that hyper's client reports; one of this crate's own in its chain of sources is
    /// preferred.
    pub(crate) fn from_client(error: &(dyn StdError + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(current) = cause {
            if let Some(own) = current.downcast_ref::<Self>() {
                return own.clone();
            }
            if let Some(hyper) = current.downcast_ref::<hyper::Error>() {
                return Self::from_hyper(hyper);
            }
            cause = current.source();
        }
        Self::Protocol("the request failed".into())
    }

    pub(crate) fn from_hyper(error: &hyper::Error) -> Self {
        let mut cause = error.source();
        while let Some(current) = cause {
            if let Some(own) = current.downcast_ref::<Self>() {
                return own.clone();
            }
            if let Some(io) = current.downcast_ref::<std::io::Error>() {
                return match io.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
                    Some(_) => Self::from_tls(io),
                    None => Self::Network(io.kind().to_string()),
                };
            }
            cause = current.source();
        }
        if error.is_parse_too_large() {
            return Self::Protocol("the response's headers are too large".into());
        }
        if error.is_parse() {
            return Self::Protocol("the response is not HTTP".into());
        }
        if error.is_incomplete_message() {
            return Self::Protocol("the connection closed before the response was complete".into());
        }
        // hyper's own texts are constants; they quote nothing that was received.
        Self::Protocol(error.to_string())
    }
}

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
        other => format!("its certificate was refused: {other:?}"),
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
