//! The HTTP server: the export `wasi:http/handler`, served by [`vaultlet_core::serve`].

use alloc::string::String;

use super::INSTANCE;
use crate::{
    Provider,
    bindings::{
        exports::wasi::http::handler::Guest,
        wasi::http::types::{ErrorCode, Fields, Method, Request, Response},
        wit_future, wit_stream,
    },
};
use vaultlet_core::{
    secret::SecretString,
    serve::{self, Incoming, Reply},
};

impl Guest for Provider {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let incoming = read_request(&request);
        drop(request);
        let (context, memory) = INSTANCE.get();
        Ok(to_response(&serve::serve(context, memory, &incoming)))
    }
}

fn read_request(request: &Request) -> Incoming {
    // A value that is not text becomes empty, which is as wrong.
    let text = |bytes| SecretString::new(String::from_utf8(bytes).unwrap_or_default());
    Incoming {
        is_get: matches!(request.get_method(), Method::Get),
        target: request.get_path_with_query().unwrap_or_default(),
        host: request.get_authority(),
        headers: request
            .get_headers()
            .copy_all()
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), text(value)))
            .collect(),
    }
}

fn to_response(reply: &Reply) -> Response {
    let headers = Fields::new();
    for (name, value) in &reply.headers {
        // No host refuses these constant names and plain values.
        let _ = headers.append(name, value.as_bytes());
    }
    let (mut writer, reader) = wit_stream::new();
    // There are no trailers: the writer, which is dropped, says so.
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(headers, Some(reader), trailers);
    let _ = response.set_status_code(reply.status);
    let body = reply.body.as_bytes().to_vec();
    // After the response has been returned. A host that hangs up early has its reason.
    wit_bindgen::spawn_local(async move { drop(writer.write_all(body).await) });
    response
}
