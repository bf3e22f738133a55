//! The control port: counters and log to read, roles to give.

use std::sync::Arc;

use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    doors::{listen, serve},
    limits,
    message::{self, Answer},
    state::State,
    vault::Grant,
};

/// Serves the control port for ever.
pub(crate) async fn run(listener: TcpListener, state: Arc<State>) {
    listen(listener, |stream| {
        let state = Arc::clone(&state);
        async move { serve(stream, move |request| answer(request, Arc::clone(&state))).await }
    })
    .await;
}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Answer {
    // A web page must not give roles: browsers name the page that they ask for.
    if request.headers().contains_key("origin") {
        return refused(StatusCode::FORBIDDEN, "this port is not for web pages");
    }
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/counters") => message::json(StatusCode::OK, &state.counters(), 0),
        (&Method::GET, "/log") => message::json(StatusCode::OK, &state.log(), 0),
        (&Method::POST, "/reset") => {
            state.reset();
            message::empty(StatusCode::NO_CONTENT)
        }
        (&Method::POST, "/grant") => grant(request, &state).await,
        (_, "/counters" | "/log" | "/reset" | "/grant") => {
            refused(StatusCode::METHOD_NOT_ALLOWED, "GET counters and log, POST reset and grant")
        }
        _ => refused(StatusCode::NOT_FOUND, "there are /counters, /log, /reset and /grant"),
    }
}

async fn grant(request: Request<Incoming>, state: &State) -> Answer {
    let Ok(body) = message::read(request.into_body(), limits::CONTROL_BODY).await else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "a grant is a short JSON object");
    };
    match serde_json::from_slice::<Grant>(&body) {
        Ok(grant) => {
            state.access.grant(grant);
            message::empty(StatusCode::NO_CONTENT)
        }
        Err(_) => refused(
            StatusCode::BAD_REQUEST,
            "a grant is {\"who\":\"managed|user\",\
             \"role\":\"secrets-officer|secrets-user|reader|none\",\"name\":\"SECRET, or absent\"}",
        ),
    }
}

fn refused(status: StatusCode, text: &str) -> Answer {
    message::json(status, &json!({"error": text}), 0)
}
