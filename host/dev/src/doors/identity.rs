//! The identity endpoints: plain HTTP on one loopback port.

use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;

use super::{host, listen, serve};
use crate::{
    message::Answer,
    state::{Pending, State},
};

const LABEL: &str = "identity";

/// Serves all identity endpoints for ever.
pub(crate) async fn run(listener: TcpListener, state: Arc<State>) {
    listen(listener, |stream| {
        let state = Arc::clone(&state);
        async move {
            state.connected(LABEL);
            let answer = move |request| answer(request, Arc::clone(&state));
            serve(stream, answer).await;
        }
    })
    .await;
}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Answer {
    let pending = Pending::new(LABEL, request.method(), host(&request), request.uri());
    let (parts, _) = request.into_parts();
    let outcome = state.endpoints.answer(&parts);
    let status = outcome.answer.status();
    state.identified(pending, outcome.operation, status, outcome.who);
    outcome.answer
}
