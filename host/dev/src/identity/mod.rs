//! The identity endpoints: for each, who may ask, in which form, and what is answered.

mod appservice;
mod arc;
mod azureml;
mod cloud_shell;
mod form;
mod imds;
mod obo;
mod pipelines;
mod reply;
mod request;
mod service_fabric;
pub(crate) mod spark;

use http::{StatusCode, request::Parts};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{
    directory::{
        federation::Federation,
        token::{Issuer, Token},
        who::Principal,
    },
    log::Served,
    message,
};
pub(crate) use arc::Agent;
pub use form::Form;
pub(crate) use pipelines::CONNECTION;
use reply::Reply;
use request::Request;

/// All identity endpoints: they share a secret and the issuer of tokens.
pub(crate) struct Endpoints {
    pub(crate) issuer: Issuer,
    pub(crate) agent: Agent,
    secret: SecretString,
    pipeline_token: SecretString,
}

/// Path of each endpoint, below the origin of its listener.
pub(crate) mod paths {
    pub(crate) use super::{
        appservice::PATH as APP_SERVICE, arc::PATH as AZURE_ARC, azureml::PATH as AZURE_ML,
        cloud_shell::PATH as CLOUD_SHELL, imds::PATH as IMDS, obo::PATH as OBO,
        pipelines::PATH as AZURE_PIPELINES, service_fabric::PATH as SERVICE_FABRIC,
    };
}

/// Whether a path belongs to one of the token services that jobs reach over TLS.
pub(crate) fn is_service(path: &str) -> bool {
    path == paths::AZURE_PIPELINES || path.starts_with(spark::PREFIX)
}

impl Endpoints {
    pub(crate) fn new(issuer: Issuer, agent: Agent) -> Self {
        let random = || SecretString::from(Uuid::new_v4().simple().to_string());
        Self { issuer, agent, secret: random(), pipeline_token: random() }
    }

    /// The secret that a caller sends to the endpoints which require one.
    pub(crate) fn secret(&self) -> &str {
        self.secret.expose_secret()
    }

    /// The bearer token that a job of Azure Pipelines sends.
    pub(crate) fn pipeline_token(&self) -> &str {
        self.pipeline_token.expose_secret()
    }

    /// Answers a request to the identity port.
    pub(crate) fn respond(&self, parts: &Parts, body: &[u8]) -> Served {
        let request = Request::new(parts, body);
        let path = parts.uri.path().trim_end_matches('/');
        // The metadata service has an error of its own for this.
        if request.is_forwarded() && path != paths::IMDS {
            return Reply::plain(message::forwarded()).serve("other");
        }
        match path {
            paths::AZURE_ML => azureml::respond(self, &request).serve("azure-ml"),
            paths::OBO => obo::respond(self, &request).serve("azure-ml-obo"),
            paths::APP_SERVICE => appservice::respond(self, &request).serve("app-service"),
            paths::IMDS => imds::respond(self, &request).serve("imds"),
            paths::AZURE_ARC => arc::respond(self, &request).serve("azure-arc"),
            paths::CLOUD_SHELL => cloud_shell::respond(self, &request).serve("cloud-shell"),
            _ => Reply::empty(StatusCode::NOT_FOUND).serve("other"),
        }
    }

    /// Answers a request to the port of Service Fabric.
    pub(crate) fn respond_fabric(&self, parts: &Parts) -> Served {
        service_fabric::respond(self, &Request::new(parts, &[])).serve("service-fabric")
    }

    /// Answers a request whose path [`is_service`]: to the service of pipelines or of Spark jobs.
    pub(crate) fn respond_as_service(
        &self,
        federation: &Federation,
        parts: &Parts,
        body: &[u8],
    ) -> Served {
        let request = Request::new(parts, &[]);
        if parts.uri.path() == paths::AZURE_PIPELINES {
            pipelines::respond(self, federation, &request).serve("azure-pipelines")
        } else {
            spark::respond(self, &request, body).serve("azure-ml-spark")
        }
    }

    fn knows_secret(&self, request: &Request<'_>, header: &str) -> bool {
        request.header(header).is_some_and(|given| {
            bool::from(given.as_bytes().ct_eq(self.secret.expose_secret().as_bytes()))
        })
    }

    fn token(&self, principal: &Principal, resource: &str) -> Option<Token> {
        self.issuer.issue(principal, resource)
    }
}
