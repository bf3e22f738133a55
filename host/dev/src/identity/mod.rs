//! The identity endpoints of a training job: who may ask, how, and what is answered.

mod appservice;
mod arc;
mod azureml;
mod cloud_shell;
mod form;
mod imds;
mod obo;
mod pipelines;
mod service_fabric;
pub(crate) mod signer;
pub(crate) mod spark;
pub(crate) mod token;
mod who;

use http::{Method, StatusCode, request::Parts};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{
    authority::Federation,
    doors::is_forwarded,
    message::{self, Answer, Query},
};
pub(crate) use arc::Agent;
pub use form::Form;
pub(crate) use pipelines::CONNECTION;
use token::{Issuer, Token};
pub use who::Who;
pub(crate) use who::{
    APPLICATION, DOMAIN, MANAGED, Principal, RESTRICTED, SUBSCRIPTION, TENANT, USER, USER_NAME,
    principal, resource_id,
};

/// A word that names none of the values of a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not one of {allowed}")]
pub struct UnknownWord {
    word: String,
    allowed: &'static str,
}

impl UnknownWord {
    pub(crate) fn new(word: &str, allowed: &'static str) -> Self {
        Self { word: word.to_owned(), allowed }
    }
}

/// All endpoints: they share a secret and the issuer of tokens.
pub(crate) struct Endpoints {
    pub(crate) issuer: Issuer,
    pub(crate) agent: Agent,
    secret: SecretString,
    pipeline_token: SecretString,
}

/// Where each endpoint is, below the origin of its door.
pub(crate) mod paths {
    pub(crate) use super::{
        appservice::PATH as APP_SERVICE, arc::PATH as AZURE_ARC, azureml::PATH as AZURE_ML,
        cloud_shell::PATH as CLOUD_SHELL, imds::PATH as IMDS, obo::PATH as OBO,
        pipelines::PATH as AZURE_PIPELINES, service_fabric::PATH as SERVICE_FABRIC,
    };
}

/// An answer, and what of it is counted.
pub(crate) struct Outcome {
    pub(crate) answer: Answer,
    /// Name of the endpoint in counters and log.
    pub(crate) operation: &'static str,
    /// Whose token was given out.
    pub(crate) who: Option<Who>,
}

/// Whether a path is that of a service that jobs reach over TLS.
pub(crate) fn is_service(path: &str) -> bool {
    path == paths::AZURE_PIPELINES || path.starts_with(spark::PREFIX)
}

impl Endpoints {
    pub(crate) fn new(issuer: Issuer, agent: Agent) -> Self {
        let random = || SecretString::from(Uuid::new_v4().simple().to_string());
        Self { issuer, agent, secret: random(), pipeline_token: random() }
    }

    /// What a caller shows to the endpoints that want it.
    pub(crate) fn secret(&self) -> &str {
        self.secret.expose_secret()
    }

    /// What a job of Azure Pipelines shows.
    pub(crate) fn pipeline_token(&self) -> &str {
        self.pipeline_token.expose_secret()
    }

    /// Answers one request to the identity port.
    pub(crate) fn answer(&self, request: &Parts, body: &[u8]) -> Outcome {
        let asked = Asked::new(request, body);
        let path = request.uri.path().trim_end_matches('/');
        // The metadata service has words of its own for it.
        if asked.is_forwarded() && path != paths::IMDS {
            let text = "forwarded requests are not answered\n";
            let answer = message::text(StatusCode::BAD_REQUEST, text);
            return Outcome { answer, operation: "other", who: None };
        }
        let (operation, answer) = match path {
            paths::AZURE_ML => ("azure-ml", azureml::answer(self, &asked)),
            paths::OBO => ("azure-ml-obo", obo::answer(self, &asked)),
            paths::APP_SERVICE => ("app-service", appservice::answer(self, &asked)),
            paths::IMDS => ("imds", imds::answer(self, &asked)),
            paths::AZURE_ARC => ("azure-arc", arc::answer(self, &asked)),
            paths::CLOUD_SHELL => ("cloud-shell", cloud_shell::answer(self, &asked)),
            _ => ("other", Given::refused(message::empty(StatusCode::NOT_FOUND))),
        };
        Outcome { answer: answer.answer, operation, who: answer.who }
    }

    /// Answers one request to the port of Service Fabric.
    pub(crate) fn answer_fabric(&self, request: &Parts) -> Outcome {
        let asked = Asked::new(request, &[]);
        let answer = service_fabric::answer(self, &asked);
        Outcome { answer: answer.answer, operation: "service-fabric", who: answer.who }
    }

    /// Answers one request to a service that jobs reach over TLS, if it is to one: that of Spark jobs,
    /// or that of pipelines.
    pub(crate) fn answer_service(
        &self,
        federation: &Federation,
        request: &Parts,
        body: &[u8],
    ) -> Outcome {
        let asked = Asked::new(request, &[]);
        let (operation, answer) = if request.uri.path() == paths::AZURE_PIPELINES {
            ("azure-pipelines", pipelines::answer(self, federation, &asked))
        } else {
            ("azure-ml-spark", spark::answer(self, &asked, body))
        };
        Outcome { answer: answer.answer, operation, who: answer.who }
    }

    fn knows_secret(&self, asked: &Asked<'_>, header: &str) -> bool {
        message::header(&asked.request.headers, header).is_some_and(|given| {
            bool::from(given.as_bytes().ct_eq(self.secret.expose_secret().as_bytes()))
        })
    }

    fn token(&self, principal: &Principal, resource: &str) -> Option<Token> {
        self.issuer.issue(principal, resource)
    }
}

/// What came in.
struct Asked<'a> {
    request: &'a Parts,
    query: Query,
    form: Query,
}

impl<'a> Asked<'a> {
    fn new(request: &'a Parts, body: &[u8]) -> Self {
        let form = Query::parse_bytes(body);
        Self { request, query: Query::parse(request.uri.query()), form }
    }

    /// A guard against forged requests: a browser sends it for no page.
    fn has_metadata(&self) -> bool {
        let given = message::header(&self.request.headers, "metadata");
        given.is_some_and(|it| it.eq_ignore_ascii_case("true"))
    }

    fn is_forwarded(&self) -> bool {
        is_forwarded(&self.request.headers)
    }

    fn is_get(&self) -> bool {
        self.request.method == Method::GET
    }

    /// Whether one of these parameters names an identity other than the managed one.
    fn names_other(&self, names: &[(&str, &str)]) -> bool {
        names.iter().any(|(name, ours)| {
            self.query.filled(name).is_some_and(|asked| !asked.eq_ignore_ascii_case(ours))
        })
    }
}

/// An answer of one form.
struct Given {
    answer: Answer,
    who: Option<Who>,
}

impl Given {
    fn token(answer: Answer, who: Who) -> Self {
        Self { answer, who: Some(who) }
    }

    fn refused(answer: Answer) -> Self {
        Self { answer, who: None }
    }
}
