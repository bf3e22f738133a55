//! What a role may do, and the one door by which it does it.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use http::{Request, Response};
use wasmtime_wasi_http::{RequestOptions, WasiBody};

use crate::authority::PlannedServer;
use crate::files::Files;
use crate::http::{Client, Failure};
use crate::identity::IdentityEndpoint;
use crate::keys::{self, Key};
use crate::programs::{self, Programs};
use crate::prompt::OnPrompt;

/// What a role may see. One a pool, shared by its instances.
#[derive(Default)]
pub(crate) struct Grant {
    /// The environment, complete.
    pub(crate) variables: Vec<(String, String)>,
    /// Servers that it may reach, by which client.
    pub(crate) servers: Vec<PlannedServer>,
    pub(crate) client: Option<Arc<Client>>,
    /// The in-process identity endpoint.
    pub(crate) identity: Option<Arc<IdentityEndpoint>>,
    /// Files that it may read.
    pub(crate) files: Files,
    /// Keys that sign for it.
    pub(crate) keys: Vec<Arc<Key>>,
    /// Programs that it may have run.
    pub(crate) programs: Programs,
    /// Who hears what it must tell a person.
    pub(crate) on_prompt: Option<OnPrompt>,
}

impl fmt::Debug for Grant {
    // Variables hold secrets; a constant is all that may be shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Grant")
    }
}

impl Grant {
    /// Sends a request to a granted server, or has it answered inside the host.
    pub(crate) async fn send(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Failure> {
        let denied = |what: String| {
            tracing::warn!(target: "vaultlet", "denied {what}");
            Failure::Denied(format!("{what} is not granted to this role"))
        };
        let Some((host, port, tls)) = PlannedServer::of(request.uri()) else {
            return Err(denied("a request without a server".into()));
        };
        if let Some(identity) = self.identity.as_ref().filter(|i| i.is(&host, port, tls)) {
            return identity.handle(request).await;
        }
        let name = request.uri().path().trim_start_matches('/').to_owned();
        if port == 80 && !tls && host == keys::HOST {
            let key = self.keys.iter().find(|key| key.name == name);
            let key = key.ok_or_else(|| denied(format!("the key `{name}`")))?;
            return Ok(key.answer(request).await);
        }
        if port == 80 && !tls && host == programs::HOST {
            let program = self.programs.find(&name);
            let program = program.ok_or_else(|| denied(format!("the program `{name}`")))?;
            let query = request.uri().query().unwrap_or_default().to_owned();
            return Ok(self.programs.answer(program, &query).await);
        }
        let granted = self.servers.iter().find(|a| a.is(&host, port, tls));
        let (Some(server), Some(client)) = (granted, &self.client) else {
            let scheme = if tls { "https" } else { "http" };
            return Err(denied(format!("{scheme}://{host}:{port}")));
        };
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let started = Instant::now();
        let result = client.send(server, request, options).await;
        log(&method, server, &path, started, &result);
        result
    }
}

/// One line per request: never a query, a header but the request's id, or a body.
fn log(
    method: &http::Method,
    server: &PlannedServer,
    path: &str,
    started: Instant,
    result: &Result<Response<WasiBody>, Failure>,
) {
    let ms = started.elapsed().as_millis();
    match result {
        Ok(response) => {
            let id = response.headers().get("x-ms-request-id").and_then(|v| v.to_str().ok());
            let status = response.status().as_u16();
            tracing::info!(target: "vaultlet",
                "{method} {server} {path} {status} {ms} ms {}", id.unwrap_or("-"));
        }
        Err(error) => {
            tracing::info!(target: "vaultlet", "{method} {server} {path} failed {ms} ms: {error}");
        }
    }
}
