//! What the shells over WASI 0.2 and 0.3 have in common. Their types have the same names.

use alloc::string::ToString;
use core::time::Duration;

use crate::bindings::wasi::{
    filesystem::types as filesystem,
    http::types::{ErrorCode, Fields, RequestOptions},
};
use vaultlet_core::context::{FileError, Request, SendError};

/// The most bytes of one read.
pub(crate) const CHUNK: usize = 16 * 1024;

/// What standard error says when the answer could not be written.
pub(crate) const UNWRITTEN: &str = "vaultlet: writing the answer: standard output cannot be written to; check the program or file that reads the output (output-failed)\n";

pub(crate) fn headers(request: &Request) -> Result<Fields, SendError> {
    let refused = |_| protocol("a header is not allowed");
    let headers = Fields::new();
    for (name, value) in &request.headers {
        headers.append(name, value.reveal().as_bytes()).map_err(refused)?;
    }
    if let Some(body) = &request.body {
        let length = body.reveal().len().to_string();
        headers.append("content-length", length.as_bytes()).map_err(refused)?;
    }
    Ok(headers)
}

pub(crate) fn options(request: &Request) -> Result<RequestOptions, SendError> {
    let options = RequestOptions::new();
    let first = request.first_byte_timeout.min(request.total_timeout);
    options
        .set_connect_timeout(Some(nanos(request.connect_timeout)))
        .and_then(|()| options.set_first_byte_timeout(Some(nanos(first))))
        .and_then(|()| options.set_between_bytes_timeout(Some(nanos(first))))
        .map_err(|_| protocol("a timeout is not supported"))?;
    Ok(options)
}

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

pub(crate) fn protocol(what: &str) -> SendError {
    SendError::Protocol(what.to_string())
}

/// Maps WASI's error codes to the classes that call for different actions.
pub(crate) fn classify(code: ErrorCode) -> SendError {
    match code {
        ErrorCode::ConnectionRefused => SendError::Refused,
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => {
            SendError::Unreachable
        }
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => SendError::Name,
        ErrorCode::DnsTimeout
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => SendError::Timeout,
        ErrorCode::TlsCertificateError => SendError::TlsUntrusted,
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => SendError::TlsProtocol,
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => SendError::Denied,
        ErrorCode::HttpResponseBodySize(_) => SendError::BodyTooLarge,
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => {
            protocol("it was closed")
        }
        // The text of an internal error may have whole URLs, so it is left out.
        ErrorCode::InternalError(_) => protocol("the host reports an internal error"),
        ErrorCode::HttpProtocolError => protocol("it is not HTTP"),
        _ => protocol("the host refuses the request or its answer"),
    }
}

/// The path relative to a folder; none if it is not inside the folder.
pub(crate) fn relative_path<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    match folder.trim_end_matches('/') {
        "." if !path.starts_with('/') => Some(path),
        folder => path.strip_prefix(folder)?.strip_prefix('/'),
    }
    .filter(|inside| !inside.is_empty())
}

pub(crate) fn classify_file(code: filesystem::ErrorCode) -> FileError {
    match code {
        filesystem::ErrorCode::NoEntry | filesystem::ErrorCode::NotDirectory => FileError::Missing,
        filesystem::ErrorCode::Access | filesystem::ErrorCode::NotPermitted => FileError::Forbidden,
        filesystem::ErrorCode::FileTooLarge => FileError::TooLarge,
        _ => FileError::Unreadable,
    }
}
