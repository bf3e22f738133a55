//! The client of HTTP that spans are sent with.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};

/// What is read of a collector's response.
const RESPONSE_MAX: u64 = 64 << 10;

/// A client that blocks: the thread that sends does nothing else.
#[derive(Debug)]
pub(crate) struct Client(ureq::Agent);

impl Client {
    pub(crate) fn new(timeout: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .max_redirects(0)
            .http_status_as_error(false);
        Self(config.build().into())
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut response = self.0.run(request.map(|body| body.to_vec()))?;
        let body = response.body_mut().with_config().limit(RESPONSE_MAX).read_to_vec()?;
        Ok(response.map(|_| body.into()))
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let result = self.send(request);
        match &result {
            Ok(response) if response.status().is_success() => {}
            Ok(response) => {
                let status = response.status();
                tracing::warn!(target: "vaultlet", "OpenTelemetry: the collector responds with {status}");
            }
            Err(error) => {
                tracing::warn!(target: "vaultlet", "OpenTelemetry: spans are not sent: {error}");
            }
        }
        result
    }
}
