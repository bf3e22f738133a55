//! The HTTP server: the export `wasi:http/incoming-handler`, served by [`vaultlet_core::serve`].

use alloc::string::String;

use super::{INSTANCE, stream::write};
use crate::{
    Provider,
    bindings::{
        exports::wasi::http::incoming_handler::Guest,
        wasi::http::types::{
            Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
        },
    },
};
use vaultlet_core::{
    secret::SecretString,
    serve::{self, Incoming, Reply},
};

impl Guest for Provider {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let incoming = read_request(&request);
        let (context, memory) = INSTANCE.get();
        write_reply(&serve::serve(context, memory, &incoming), out);
    }
}

fn read_request(request: &IncomingRequest) -> Incoming {
    // A value that is not text becomes empty, which is as wrong.
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

fn write_reply(reply: &Reply, out: ResponseOutparam) {
    let headers = Fields::new();
    for (name, value) in &reply.headers {
        // No host refuses these constant names and plain values.
        let _ = headers.append(name, value.as_bytes());
    }
    let response = OutgoingResponse::new(headers);
    let _ = response.set_status_code(reply.status);
    let body = response.body();
    ResponseOutparam::set(out, Ok(response));
    let Ok(body) = body else { return };
    if let Ok(stream) = body.write() {
        // A host that hangs up early has its reason.
        let _ = write(&stream, reply.body.as_bytes());
    }
    let _ = OutgoingBody::finish(body, None);
}
