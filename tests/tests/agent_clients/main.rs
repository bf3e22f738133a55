//! The clients of `vaultlet agent`: programs with nothing but `VAULTLET_AGENT`, and what listens there and is no agent.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod commands;
mod connections;
mod owners;
mod served;
mod stopped;
mod watched;
mod wrong;

use served::Served;
use vaultlet_host::{Builder, Vaultlet};

const VALUE: &str = "v4lue-by-the-agent";

/// A builder for a handle that finds nothing but this.
fn with(variables: &[(&str, &str)]) -> Builder {
    Vaultlet::builder().variables(variables.iter().copied())
}

/// The JSON of a secret of the vault `job`.
fn json(name: &str, value: &str) -> String {
    format!(
        r#"{{"reference":"akv://job/{name}","vault":"job.vault.azure.net","name":"{name}","value":{}}}"#,
        serde_json::to_string(value).unwrap()
    )
}

/// A whole response.
fn response(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// A server that gives every request the secret that it asks for.
fn giving() -> Served {
    Served::new(|request, stream| {
        let name = request.split("akv%3A%2F%2Fjob%2Evault%2Eazure%2Enet%2F").nth(1).unwrap_or("");
        let name = name.split([' ', '&', '%']).next().unwrap_or_default();
        served::send(stream, &response("200 OK", &json(name, VALUE)));
    })
}
