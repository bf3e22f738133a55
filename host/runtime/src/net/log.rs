//! The log of requests.

use std::time::Instant;

use super::failure::Failure;
use super::message::{Request, Response};
use super::server::PlannedServer;

/// Logs one line for a request: never a query, a body, or a header other than the request's id.
pub(crate) fn log(
    request: &Request,
    server: &PlannedServer,
    started: Instant,
    result: &Result<Response, Failure>,
) {
    let (method, path) = (request.method.as_str(), request.path());
    let ms = started.elapsed().as_millis();
    match result {
        Ok(response) => {
            let (id, status) = (response.header("x-ms-request-id"), response.status);
            tracing::info!(target: "vaultlet",
                "{method} {server} {path} {status} {ms} ms {}", id.unwrap_or("-"));
        }
        Err(error) => {
            tracing::info!(target: "vaultlet", "{method} {server} {path} failed {ms} ms: {error}");
        }
    }
}
