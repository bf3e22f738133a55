//! The core's [`Context`], implemented with WASI 0.3.

use alloc::{format, string::String, vec::Vec};
use core::time::Duration;

use super::{
    files::Files,
    stream::{Output, write},
};
use crate::{
    bindings::{
        wasi::{
            cli::environment,
            clocks::{monotonic_clock, system_clock},
            http::{
                client,
                types::{self, ErrorCode, Scheme},
            },
            random::random,
        },
        wit_future, wit_stream,
    },
    instance::Environment,
    platform::{CHUNK, classify, headers, nanos, options, protocol},
};
use futures_lite::future::{or, zip};
use vaultlet_core::{
    context::{Context, FileError, Method, Request, Response, SendError},
    scrub::Scrubbed,
    settings::Role,
};
use wit_bindgen::{StreamResult, block_on};

/// The context of this instance.
#[derive(Default)]
pub(crate) struct WasiContext {
    environment: Environment,
    files: Files,
}

impl Context for WasiContext {
    fn send(&self, request: Request) -> Result<Response, SendError> {
        let deadline = nanos(self.monotonic().saturating_add(request.total_timeout));
        let timer = async move {
            monotonic_clock::wait_until(deadline).await;
            Err(SendError::Timeout)
        };
        block_on(or(exchange(request), timer))
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.environment.variable(name, environment::get_environment)
    }

    fn now(&self) -> i64 {
        system_clock::now().seconds
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(monotonic_clock::now())
    }

    fn wait(&self, duration: Duration) {
        block_on(monotonic_clock::wait_for(nanos(duration)));
    }

    fn random(&self, bytes: &mut [u8]) {
        // A host may give fewer than were asked for.
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let fresh = random::get_random_bytes(rest.len() as u64);
            filled += fresh.len();
            for (byte, fresh) in rest.iter_mut().zip(fresh) {
                *byte = fresh;
            }
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
        true
    }

    fn prompt(&self, line: &str) {
        // Nobody listens any more if writing fails.
        let _ = write(Output::Stderr, format!("{line}\n").as_bytes());
    }
}

/// Sends a request and reads the response, as long as that may take.
async fn exchange(request: Request) -> Result<Response, SendError> {
    let max_body = request.max_body;
    let headers = headers(&request)?;
    let options = options(&request)?;
    let (mut writer, contents) = match &request.body {
        Some(text) => {
            let (writer, reader) = wit_stream::new();
            (Some((writer, text.reveal().as_bytes().to_vec())), Some(reader))
        }
        None => (None, None),
    };
    // There are no trailers: the writer, which is dropped, says so.
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (outgoing, sent) = types::Request::new(headers, contents, trailers, Some(options));
    address(&outgoing, &request)?;
    drop(request);
    let body = async {
        if let Some((mut writer, bytes)) = writer.take() {
            drop(writer.write_all(bytes).await);
        }
    };
    // The error of a body that could not be sent is that of the request, too.
    let (response, ()) = zip(client::send(outgoing), body).await;
    drop(sent);
    read(response.map_err(classify)?, max_body).await
}

fn address(outgoing: &types::Request, request: &Request) -> Result<(), SendError> {
    if request.method == Method::Post {
        // No host refuses a standard method.
        let _ = outgoing.set_method(&types::Method::Post);
    }
    let scheme = if request.url.secure { Scheme::Https } else { Scheme::Http };
    let set = outgoing.set_scheme(Some(&scheme));
    let set = set.and_then(|()| outgoing.set_authority(Some(&request.url.short_host_and_port())));
    set.and_then(|()| outgoing.set_path_with_query(Some(&request.url.target)))
        .map_err(|()| protocol("the address is not allowed"))
}

async fn read(response: types::Response, max_body: usize) -> Result<Response, SendError> {
    let status = response.get_status_code();
    let entries = response.get_headers().copy_all().into_iter();
    let headers = entries.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    let (_, handled) = wit_future::new(|| Ok(()));
    let (mut stream, end) = types::Response::consume_body(response, handled);
    let mut body = Scrubbed::new(Vec::new());
    loop {
        let (result, piece) = stream.read(Vec::with_capacity(CHUNK)).await;
        let piece = Scrubbed::new(piece);
        if body.len() + piece.len() > max_body {
            return Err(SendError::BodyTooLarge);
        }
        body.extend_from_slice(&piece);
        if !matches!(result, StreamResult::Complete(_)) {
            // Whether that was the end of the body, or of the connection.
            return match end.await {
                Ok(_) => Ok(Response { status, headers, body }),
                Err(ErrorCode::HttpProtocolError) => Err(protocol("the answer broke off")),
                Err(code) => Err(classify(code)),
            };
        }
    }
}
