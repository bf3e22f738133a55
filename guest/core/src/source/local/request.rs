//! Requests to local identity endpoints.

use alloc::{format, vec::Vec};
use core::time::Duration;

use super::{
    endpoint::{Endpoint, Protocol},
    identity::ChosenIdentity,
};
use crate::{
    context::{Method, Request},
    error::Error,
    limits,
    token::TokenRequest,
    words::{form::Form, secret::SecretString, url::Url},
};

/// A token request from which each attempt is built.
pub(super) struct RequestTemplate<'a> {
    endpoint: &'a Endpoint,
    url: Url,
    body: Option<SecretString>,
    connect_timeout: Duration,
}

impl<'a> RequestTemplate<'a> {
    /// Prepares a request for a token. Fails if the endpoint cannot select the identity. Where the next source
    /// is asked instead, the request is not patient: the endpoint has less time to be there.
    pub(super) fn new(
        endpoint: &'a Endpoint,
        request: &TokenRequest,
        identity: Option<&ChosenIdentity>,
        is_patient: bool,
    ) -> Result<Self, Error> {
        let id = match identity {
            Some(chosen) => Some((id_parameter(endpoint, chosen)?, chosen.id.id())),
            None => None,
        };
        let mut url = endpoint.url.clone();
        let body = match &endpoint.protocol {
            Protocol::Form => Some(Form::default().text("resource", &request.resource).finish()),
            Protocol::Spark(job) => Some(job.body(&request.resource)),
            Protocol::Query | Protocol::KeyFile(_) => {
                let resource = [("resource", request.resource.as_str())];
                for (name, value) in endpoint.parameters.iter().copied().chain(resource).chain(id) {
                    url.push(name, value);
                }
                None
            }
        };
        let connect_timeout = if is_patient { limits::IDENTITY_CONNECT } else { limits::PROBE };
        Ok(Self { endpoint, url, body, connect_timeout })
    }

    /// Builds the request; `key` is the content of a key file.
    pub(super) fn build(&self, key: Option<&SecretString>) -> Request {
        let mut request = build(self.endpoint, &self.url, true);
        request.connect_timeout = self.connect_timeout;
        if let Some(key) = key {
            request.headers.push(("authorization", format!("Basic {}", key.reveal()).into()));
        }
        if let Some(body) = &self.body {
            request.method = Method::Post;
            request.body = Some(body.reveal().into());
            match &self.endpoint.protocol {
                Protocol::Spark(job) => request.headers.extend(job.headers()),
                _ => request
                    .headers
                    .push(("content-type", "application/x-www-form-urlencoded".into())),
            }
        }
        request
    }
}

/// A request that any metadata service answers, without a token.
pub(super) fn probe(endpoint: &Endpoint) -> Request {
    Request {
        connect_timeout: limits::PROBE,
        first_byte_timeout: limits::PROBE,
        total_timeout: limits::PROBE,
        ..build(endpoint, &endpoint.url, false)
    }
}

/// A request with or without the headers that a token request needs.
fn build(endpoint: &Endpoint, url: &Url, authorized: bool) -> Request {
    let mut headers: Vec<(&'static str, SecretString)> = Vec::new();
    headers.push(("accept", "application/json".into()));
    if authorized {
        if endpoint.metadata {
            headers.push(("metadata", "true".into()));
        }
        if let Some((name, secret)) = &endpoint.header {
            headers.push((name, secret.reveal().into()));
        }
    }
    Request {
        method: Method::Get,
        url: url.clone(),
        headers,
        body: None,
        connect_timeout: limits::IDENTITY_CONNECT,
        first_byte_timeout: limits::IDENTITY_FIRST_BYTE,
        total_timeout: limits::IDENTITY_FIRST_BYTE,
        max_body: limits::TOKEN_BODY,
    }
}

/// The parameter that selects the identity.
fn id_parameter(endpoint: &Endpoint, chosen: &ChosenIdentity) -> Result<&'static str, Error> {
    if let Some(name) = (endpoint.id_parameter)(&chosen.id) {
        return Ok(name);
    }
    let error = chosen.unsupported_error();
    Err(if endpoint.is_user {
        error.with_help(
            "it is the user's identity; for a managed one set \
             `VAULTLET_IDENTITY=managed-identity`",
        )
    } else {
        error
    })
}
