//! The requests to local identity endpoints.

use alloc::{format, vec::Vec};

use super::{Endpoint, Protocol, identity::Chosen};
use crate::{
    context::{Method, Request},
    error::Error,
    limits,
    token::TokenRequest,
    words::{form::Form, secret::SecretString, url::Url},
};

/// A request that is made anew for each try.
pub(super) struct Asking<'a> {
    endpoint: &'a Endpoint,
    url: Url,
    body: Option<SecretString>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(
        endpoint: &'a Endpoint,
        request: &TokenRequest,
        identity: Option<&Chosen>,
    ) -> Result<Self, Error> {
        let id = match identity {
            Some(chosen) => Some((parameter(endpoint, chosen)?, chosen.id.id())),
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
        Ok(Self { endpoint, url, body })
    }

    pub(super) fn build(&self, key: Option<&SecretString>) -> Request {
        let mut request = build(self.endpoint, &self.url, true);
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

/// A request that asks for nothing.
pub(super) fn probe(endpoint: &Endpoint) -> Request {
    Request {
        connect_timeout: limits::PROBE,
        first_byte_timeout: limits::PROBE,
        total_timeout: limits::PROBE,
        ..build(endpoint, &endpoint.url, false)
    }
}

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

fn parameter(endpoint: &Endpoint, chosen: &Chosen) -> Result<&'static str, Error> {
    if let Some(name) = (endpoint.id_parameter)(&chosen.id) {
        return Ok(name);
    }
    let error = chosen.refused();
    Err(if endpoint.of_user {
        error.with_help(
            "it is the user's identity; for a managed one set \
             `VAULTLET_IDENTITY=managed-identity`",
        )
    } else {
        error
    })
}
