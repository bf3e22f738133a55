//! The core's [`Context`], implemented with the interface `host`.

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use crate::{bindings::vaultlet::keyvault::host, instance::Environment};
use vaultlet_core::{
    context::{Context, FileError, Method, Request, Response, SendError},
    scrub::Scrubbed,
    settings::Role,
};

/// The context of this instance.
#[derive(Default)]
pub(crate) struct HostContext {
    environment: Environment,
}

impl Context for HostContext {
    fn send(&self, request: Request) -> Result<Response, SendError> {
        let headers: Vec<_> =
            request.headers.iter().map(|(name, value)| (*name, value.reveal())).collect();
        let sent = host::exchange(host::Request {
            method: match request.method {
                Method::Get => host::Method::Get,
                Method::Post => host::Method::Post,
            },
            secure: request.url.secure,
            host: &request.url.host,
            port: request.url.port,
            target: &request.url.target,
            headers: &headers,
            body: request.body.as_ref().map(|body| body.reveal()),
            connect_ms: millis(request.connect_timeout),
            first_byte_ms: millis(request.first_byte_timeout.min(request.total_timeout)),
            total_ms: millis(request.total_timeout),
            max_body: count(request.max_body),
        });
        match sent {
            Ok(host::Response { status, headers, body }) => {
                Ok(Response { status, headers, body: Scrubbed::new(body) })
            }
            Err(error) => Err(send_error(error)),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.environment.variable(name, host::environment)
    }

    fn now(&self) -> i64 {
        host::now()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(host::monotonic())
    }

    fn wait(&self, duration: Duration) {
        host::wait(millis(duration));
    }

    fn random(&self, bytes: &mut [u8]) {
        let fresh = host::random(count(bytes.len()));
        for (byte, fresh) in bytes.iter_mut().zip(fresh) {
            *byte = fresh;
        }
    }

    fn read_file(&self, path: &str, max: usize) -> Result<Scrubbed<Vec<u8>>, FileError> {
        host::read_file(path, count(max)).map(Scrubbed::new).map_err(|error| match error {
            host::FileError::Missing => FileError::Missing,
            host::FileError::Forbidden => FileError::Forbidden,
            host::FileError::TooLarge => FileError::TooLarge,
            host::FileError::Unreadable => FileError::Unreadable,
        })
    }

    fn is_file(&self, path: &str) -> bool {
        host::is_file(path)
    }

    fn has_host_services(&self) -> bool {
        // Only vaultlet's own host starts a broker.
        matches!(Role::read(&|name| self.variable(name)), Role::Broker(_))
    }

    fn can_prompt(&self) -> bool {
        host::can_prompt()
    }

    fn prompt(&self, line: &str) {
        host::prompt(line);
    }
}

/// Whole milliseconds, rounded up: a time that is left is never none.
fn millis(duration: Duration) -> u32 {
    let up = duration.saturating_add(Duration::from_nanos(999_999));
    u32::try_from(up.as_millis()).unwrap_or(u32::MAX)
}

fn count(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

fn send_error(error: host::SendError) -> SendError {
    match error {
        host::SendError::Refused => SendError::Refused,
        host::SendError::Unreachable => SendError::Unreachable,
        host::SendError::Name => SendError::Name,
        host::SendError::Timeout => SendError::Timeout,
        host::SendError::TlsUntrusted => SendError::TlsUntrusted,
        host::SendError::TlsProtocol => SendError::TlsProtocol,
        host::SendError::Denied => SendError::Denied,
        host::SendError::BodyTooLarge => SendError::BodyTooLarge,
        host::SendError::Protocol(what) => SendError::Protocol(what),
    }
}
