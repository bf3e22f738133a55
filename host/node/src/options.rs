//! Options of handles and calls, after `lib/options.cjs` has checked them.

use std::collections::HashMap;
use std::time::Duration;

use napi::Status;
use napi::threadsafe_function::{
    ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue,
};
use napi_derive::napi;
use vaultlet_host::{self as host, Builder, UserAssigned, Vaultlet};

/// A callback with a line that a person must read.
pub(crate) type OnPrompt =
    ThreadsafeFunction<String, UnknownReturnValue, String, Status, false, true>;

/// Options of a handle.
#[napi(object, object_to_js = false)]
pub(crate) struct HandleOptions {
    pub identity: Option<String>,
    pub exclude: Option<String>,
    pub client_id: Option<String>,
    pub object_id: Option<String>,
    pub resource_id: Option<String>,
    pub additional_tenants: Option<String>,
    pub user_assertion: Option<String>,
    pub user_assertion_file: Option<String>,
    pub cloud: Option<String>,
    pub concurrency: Option<u32>,
    /// Milliseconds.
    pub timeout: Option<f64>,
    pub ca_file: Option<Vec<String>>,
    pub resolve: Option<Vec<String>>,
    pub allow_http_loopback: Option<bool>,
    pub allow_http_identity: Option<String>,
    pub policy: Option<String>,
    pub agent: Option<String>,
    pub agent_token_file: Option<String>,
    pub agent_fallback: Option<String>,
    pub env: Option<HashMap<String, String>>,
}

/// Options of a call.
#[napi(object, object_to_js = false)]
pub(crate) struct CallOptions {
    /// Milliseconds.
    pub timeout: Option<f64>,
    pub client_id: Option<String>,
    pub object_id: Option<String>,
    pub resource_id: Option<String>,
}

/// A request for a token.
#[napi(object, object_to_js = false)]
pub(crate) struct TokenRequest {
    pub resource: Option<String>,
    pub tenant: Option<String>,
    pub claims: Option<String>,
}

impl From<TokenRequest> for host::TokenRequest {
    fn from(request: TokenRequest) -> Self {
        let TokenRequest { resource, tenant, claims } = request;
        Self { resource, tenant, claims }
    }
}

/// What is resolved in the environment.
#[napi(object, object_to_js = false)]
pub(crate) struct EnvironmentRequest {
    pub env: Option<HashMap<String, String>>,
    pub only: Option<Vec<String>>,
}

impl From<EnvironmentRequest> for host::EnvironmentRequest {
    fn from(request: EnvironmentRequest) -> Self {
        let EnvironmentRequest { env, only } = request;
        Self { variables: env.map(|env| env.into_iter().collect()), only }
    }
}

type Set = fn(Builder, String) -> Builder;

impl HandleOptions {
    pub(crate) fn builder(self, on_prompt: Option<OnPrompt>) -> Builder {
        let texts: [(_, Set); 14] = [
            (self.identity, Builder::identity),
            (self.exclude, Builder::exclude),
            (self.client_id, Builder::client_id),
            (self.object_id, Builder::object_id),
            (self.resource_id, Builder::resource_id),
            (self.additional_tenants, Builder::additional_tenants),
            (self.user_assertion_file, Builder::user_assertion_file),
            (self.user_assertion, Builder::user_assertion),
            (self.cloud, Builder::cloud),
            (self.allow_http_identity, Builder::allow_http_identity),
            (self.policy, Builder::policy),
            (self.agent, Builder::agent),
            (self.agent_token_file, Builder::agent_token_file),
            (self.agent_fallback, Builder::agent_fallback),
        ];
        let mut builder = Vaultlet::builder();
        for (text, set) in texts {
            if let Some(text) = text {
                builder = set(builder, text);
            }
        }
        if let Some(calls) = self.concurrency {
            builder = builder.concurrency(usize::try_from(calls).unwrap_or(usize::MAX));
        }
        if let Some(timeout) = self.timeout {
            builder = builder.timeout(duration(timeout));
        }
        if let Some(allow) = self.allow_http_loopback {
            builder = builder.allow_http_loopback(allow);
        }
        if let Some(variables) = self.env {
            builder = builder.variables(variables);
        }
        if let Some(callback) = on_prompt {
            builder = builder.on_prompt(move |line| {
                callback.call(line.to_owned(), ThreadsafeFunctionCallMode::NonBlocking);
            });
        }
        let builder = self.ca_file.into_iter().flatten().fold(builder, Builder::ca_file);
        self.resolve.into_iter().flatten().fold(builder, Builder::resolve)
    }
}

impl CallOptions {
    pub(crate) fn apply(self, mut handle: Vaultlet) -> Vaultlet {
        if let Some(timeout) = self.timeout {
            handle = handle.with_timeout(duration(timeout));
        }
        let identity = (self.client_id.map(UserAssigned::ClientId))
            .or_else(|| self.object_id.map(UserAssigned::ObjectId))
            .or_else(|| self.resource_id.map(UserAssigned::ResourceId));
        match identity {
            Some(identity) => handle.with_identity(identity),
            None => handle,
        }
    }
}

fn duration(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or(Duration::MAX)
}
