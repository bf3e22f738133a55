//! `wasi:http/incoming-handler` over [`vaultlet_core::serve`].

use alloc::string::String;

use crate::{
    Provider,
    bindings::{
        exports::wasi::http::incoming_handler::Guest,
        wasi::http::types::{
            Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
        },
    },
    world::World,
};
use vaultlet_core::{
    secret::SecretString,
    serve::{self, Incoming, Reply},
};

/// `blocking-write-and-flush` takes no more at once, bytes.
const CHUNK: usize = 4096;

impl Guest for Provider {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let asked = asked(&request);
        let world = World::get();
        answer(&serve::serve(world, &world.memory, &asked), out);
    }
}

fn asked(request: &IncomingRequest) -> Incoming {
    // Values that are not text cannot be right; empty ones are wrong, too.
    let text = |bytes| SecretString::new(String::from_utf8(bytes).unwrap_or_default());
    let entries = request.headers().entries();
    Incoming {
        is_get: matches!(request.method(), Method::Get),
        target: request.path_with_query().unwrap_or_default(),
        host: request.authority(),
        headers: entries
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), text(value)))
            .collect(),
    }
}

fn answer(served: &Reply, out: ResponseOutparam) {
    let headers = Fields::new();
    for (name, value) in &served.headers {
        // Constant names and plain values: nothing that a host refuses.
        let _ = headers.append(name, value.as_bytes());
    }
    let response = OutgoingResponse::new(headers);
    let _ = response.set_status_code(served.status);
    let body = response.body();
    ResponseOutparam::set(out, Ok(response));
    let Ok(body) = body else { return };
    if let Ok(stream) = body.write() {
        for chunk in served.body.as_bytes().chunks(CHUNK) {
            if stream.blocking_write_and_flush(chunk).is_err() {
                break;
            }
        }
    }
    let _ = OutgoingBody::finish(body, None);
}
