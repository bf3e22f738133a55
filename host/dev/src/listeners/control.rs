//! The control port: a test reads counters and log here, grants roles, decides on device codes and
//! injects failures.

use std::sync::Arc;

use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use tokio::net::TcpListener;

use super::{is_loopback, listen, misdirected, serve};
use crate::{
    authority::Decision,
    limits,
    message::{self, Response},
    state::State,
    vault::Grant,
};

/// Serves the control port until the runtime stops.
pub(crate) async fn run(listener: TcpListener, state: Arc<State>, port: u16) {
    listen(listener, |stream| {
        let state = Arc::clone(&state);
        async move {
            serve(stream, move |request| respond(request, Arc::clone(&state), port)).await;
        }
    })
    .await;
}

async fn respond(request: Request<Incoming>, state: Arc<State>, port: u16) -> Response {
    if !is_loopback(message::host(&request), port) {
        return misdirected();
    }
    // A web page must not grant roles: browsers add the page's origin to a request, or how its site is related to
    // this one. `none` is what a person typed.
    let site = request.headers().get("sec-fetch-site");
    if request.headers().contains_key("origin") || site.is_some_and(|site| site != "none") {
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
        (&Method::POST, "/device") => device(request, &state).await,
        (&Method::POST, "/fault") => fault(request, &state).await,
        (_, "/counters" | "/log" | "/reset" | "/grant" | "/device" | "/fault") => {
            let text = "GET counters and log, POST reset, grant, device and fault";
            refused(StatusCode::METHOD_NOT_ALLOWED, text)
        }
        _ => {
            let text = "there are /counters, /log, /reset, /grant, /device and /fault";
            refused(StatusCode::NOT_FOUND, text)
        }
    }
}

async fn grant(request: Request<Incoming>, state: &State) -> Response {
    const FORM: &str = "a grant is {\"who\":\"managed|user|application\",\
        \"role\":\"secrets-officer|secrets-user|reader|none\",\"name\":\"SECRET, or absent\"}";
    match read::<Grant>(request, FORM).await {
        Ok(grant) => {
            state.access.grant(grant);
            message::empty(StatusCode::NO_CONTENT)
        }
        Err(response) => response,
    }
}

async fn device(request: Request<Incoming>, state: &State) -> Response {
    const FORM: &str = "a decision is {\"userCode\":\"CODE\",\"approve\":true}";
    match read::<Decision>(request, FORM).await {
        Ok(decision) if state.authority.device_codes.decide(&decision) => {
            message::empty(StatusCode::NO_CONTENT)
        }
        Ok(_) => refused(StatusCode::NOT_FOUND, "no such code is waiting"),
        Err(response) => response,
    }
}

/// The body of `POST /fault`: a failure for the next token request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    code: String,
}

async fn fault(request: Request<Incoming>, state: &State) -> Response {
    const FORM: &str =
        "a fault is {\"code\":\"AADSTS53003\"}, with a code that the local authority knows";
    match read::<Fault>(request, FORM).await.map(|fault| fault.code.parse()) {
        Ok(Ok(code)) => {
            state.authority.fail_next(code);
            message::empty(StatusCode::NO_CONTENT)
        }
        Ok(Err(())) => refused(StatusCode::BAD_REQUEST, FORM),
        Err(response) => response,
    }
}

/// Reads a short JSON object; `form` describes it in the error response.
async fn read<T: DeserializeOwned>(request: Request<Incoming>, form: &str) -> Result<T, Response> {
    let body = message::read(request.into_body(), limits::CONTROL_BODY).await;
    let body = body.map_err(|_| refused(StatusCode::PAYLOAD_TOO_LARGE, form))?;
    serde_json::from_slice(&body).map_err(|_| refused(StatusCode::BAD_REQUEST, form))
}

fn refused(status: StatusCode, text: &str) -> Response {
    message::json(status, &json!({"error": text}), 0)
}
