//! The core's [`Context`], implemented with WASI 0.2.

use alloc::{format, string::String, vec::Vec};
use core::time::Duration;

use super::{files::Files, stream::write};
use crate::{
    bindings::wasi::{
        cli::{environment, stderr},
        clocks::{monotonic_clock, wall_clock},
        http::{
            outgoing_handler,
            types::{
                self, IncomingBody, IncomingResponse, OutgoingBody, OutgoingRequest, Scheme,
                http_error_code,
            },
        },
        io::{
            poll::{Pollable, poll},
            streams::{InputStream, StreamError},
        },
        random::random,
    },
    instance::Environment,
    platform::{CHUNK, classify, headers, nanos, options, protocol},
};
use vaultlet_core::{
    context::{Context, FileError, Method, Request, Response, SendError},
    scrub::Scrubbed,
    settings::Role,
};

/// The context of this instance.
#[derive(Default)]
pub(crate) struct WasiContext {
    environment: Environment,
    files: Files,
}

impl Context for WasiContext {
    fn send(&self, request: Request) -> Result<Response, SendError> {
        let deadline = self.monotonic().saturating_add(request.total_timeout);
        let max_body = request.max_body;
        let options = options(&request)?;
        let outgoing = outgoing(&request)?;
        let body = match &request.body {
            Some(_) => Some(outgoing.body().map_err(|()| protocol("a body is not allowed"))?),
            // A body that is never opened is empty.
            None => None,
        };
        let future = outgoing_handler::handle(outgoing, Some(options)).map_err(classify)?;
        if let (Some(body), Some(text)) = (body, &request.body) {
            send_body(body, text.reveal())?;
        }
        drop(request);
        let response = loop {
            match future.get() {
                Some(Ok(Ok(response))) => break response,
                Some(Ok(Err(code))) => return Err(classify(code)),
                Some(Err(())) => return Err(protocol("no answer")),
                None => wait_until_ready(&future.subscribe(), deadline)?,
            }
        };
        read(&response, max_body, deadline)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.environment.variable(name, environment::get_environment)
    }

    fn now(&self) -> i64 {
        i64::try_from(wall_clock::now().seconds).unwrap_or(i64::MAX)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(monotonic_clock::now())
    }

    fn wait(&self, duration: Duration) {
        monotonic_clock::subscribe_duration(nanos(duration)).block();
    }

    fn random(&self, bytes: &mut [u8]) {
        let fresh = random::get_random_bytes(bytes.len() as u64);
        for (byte, fresh) in bytes.iter_mut().zip(fresh) {
            *byte = fresh;
        }
    }

    fn read_file(&self, path: &str, max: usize) -> Result<Scrubbed<Vec<u8>>, FileError> {
        self.files.read(path, max)
    }

    fn is_file(&self, path: &str) -> bool {
        self.files.exists(path)
    }

    fn has_host_services(&self) -> bool {
        // Only vaultlet's own host starts a broker.
        matches!(Role::read(&|name| self.variable(name)), Role::Broker(_))
    }

    fn can_prompt(&self) -> bool {
        // Vaultlet's own host closes stderr if nobody listens.
        stderr::get_stderr().check_write().is_ok()
    }

    fn prompt(&self, line: &str) {
        // Nobody listens any more if writing fails.
        let _ = write(&stderr::get_stderr(), format!("{line}\n").as_bytes());
    }
}

fn send_body(body: OutgoingBody, text: &str) -> Result<(), SendError> {
    let stream = body.write().map_err(|()| protocol("a body is not allowed"))?;
    write(&stream, text.as_bytes()).map_err(|()| protocol("it was closed"))?;
    drop(stream);
    OutgoingBody::finish(body, None).map_err(classify)
}

fn outgoing(request: &Request) -> Result<OutgoingRequest, SendError> {
    let outgoing = OutgoingRequest::new(headers(request)?);
    if request.method == Method::Post {
        // No host refuses a standard method.
        let _ = outgoing.set_method(&types::Method::Post);
    }
    let scheme = if request.url.secure { Scheme::Https } else { Scheme::Http };
    let set = outgoing.set_scheme(Some(&scheme));
    let set = set.and_then(|()| outgoing.set_authority(Some(&request.url.short_host_and_port())));
    set.and_then(|()| outgoing.set_path_with_query(Some(&request.url.target)))
        .map_err(|()| protocol("the address is not allowed"))?;
    Ok(outgoing)
}

fn read(
    response: &IncomingResponse,
    max_body: usize,
    deadline: Duration,
) -> Result<Response, SendError> {
    let status = response.status();
    let entries = response.headers().entries();
    let headers =
        entries.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    let body = response.consume().map_err(|()| protocol("no body"))?;
    let bytes = {
        let stream = body.stream().map_err(|()| protocol("no body"))?;
        drain(&stream, max_body, deadline)?
    };
    drop(IncomingBody::finish(body));
    Ok(Response { status, headers, body: bytes })
}

fn drain(
    stream: &InputStream,
    max_body: usize,
    deadline: Duration,
) -> Result<Scrubbed<Vec<u8>>, SendError> {
    let mut bytes = Scrubbed::new(Vec::new());
    loop {
        match stream.read(CHUNK as u64) {
            Ok(chunk) if chunk.is_empty() => wait_until_ready(&stream.subscribe(), deadline)?,
            Ok(chunk) => {
                if bytes.len() + chunk.len() > max_body {
                    return Err(SendError::BodyTooLarge);
                }
                bytes.extend_from_slice(&chunk);
            }
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(match http_error_code(&error) {
                    Some(code) => classify(code),
                    None => protocol("the answer broke off"),
                });
            }
        }
    }
}

/// Waits until something is ready, but not beyond the deadline of the request.
fn wait_until_ready(pollable: &Pollable, deadline: Duration) -> Result<(), SendError> {
    let timer = monotonic_clock::subscribe_instant(nanos(deadline));
    if poll(&[pollable, &timer]).contains(&0) { Ok(()) } else { Err(SendError::Timeout) }
}
