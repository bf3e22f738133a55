//! The operations of a handle, for blocking and for asynchronous calls.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use vaultlet_host::{EnvironmentRequest, Error, TokenRequest, Vaultlet};

use crate::error;
use crate::options::{texts, variables};
use crate::output::Output;

/// An operation with its arguments.
pub(crate) enum Operation {
    Get(String),
    GetMany(Vec<String>),
    ResolveEnvironment(EnvironmentRequest),
    List(String),
    Versions(String),
    Token(TokenRequest),
    Whoami(TokenRequest),
    Plan(Option<String>),
}

impl Operation {
    /// The operation of the method `name`, with that method's arguments.
    pub(crate) fn parse(name: &str, arguments: &Bound<'_, PyTuple>) -> PyResult<Self> {
        match name {
            "get" => Ok(Self::Get(arguments.extract::<(String,)>()?.0)),
            "get_many" => Self::get_many(&arguments.get_item(0)?),
            "resolve_environment" => {
                let given = [arguments.get_item(0)?, arguments.get_item(1)?];
                let [variables, only] = given.map(|it| (!it.is_none()).then_some(it));
                Self::resolve_environment(variables.as_ref(), only.as_ref())
            }
            "list" => Ok(Self::List(arguments.extract::<(String,)>()?.0)),
            "versions" => Ok(Self::Versions(arguments.extract::<(String,)>()?.0)),
            "token" => Ok(Self::Token(token_request_from(arguments)?)),
            "whoami" => Ok(Self::Whoami(token_request_from(arguments)?)),
            "plan" => Ok(Self::Plan(arguments.extract::<(Option<String>,)>()?.0)),
            other => Err(PyTypeError::new_err(format!("there is no call `{other}`"))),
        }
    }

    pub(crate) fn get_many(references: &Bound<'_, PyAny>) -> PyResult<Self> {
        if references.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err(
                "get_many() takes several references; for one there is get()",
            ));
        }
        let references = references.try_iter()?.map(|reference| reference?.extract());
        Ok(Self::GetMany(references.collect::<PyResult<_>>()?))
    }

    pub(crate) fn resolve_environment(
        given: Option<&Bound<'_, PyAny>>,
        only: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let variables = given.map(variables).transpose()?;
        let only = only.map(texts).transpose()?;
        Ok(Self::ResolveEnvironment(EnvironmentRequest { variables, only }))
    }

    /// Runs the operation on this thread.
    pub(crate) fn run(self, on: &Vaultlet) -> Result<Output, Error> {
        Ok(match self {
            Self::Get(reference) => Output::Secret(on.get_blocking(&reference)?),
            Self::GetMany(references) => Output::Secrets(on.get_many_blocking(&references)?),
            Self::ResolveEnvironment(request) => {
                Output::Environment(on.resolve_environment_blocking(&request)?)
            }
            Self::List(vault) => Output::Listing(on.list_blocking(&vault)?),
            Self::Versions(reference) => Output::Listing(on.versions_blocking(&reference)?),
            Self::Token(request) => Output::Token(on.token_blocking(request)?),
            Self::Whoami(request) => Output::Identity(on.token_blocking(request)?),
            Self::Plan(reference) => Output::Plan(on.plan_blocking(reference.as_deref())?),
        })
    }

    /// Starts the operation on a thread of the handle, which calls `then` once.
    pub(crate) fn start(
        self,
        on: &Vaultlet,
        then: impl FnOnce(Result<Output, Error>) + Send + 'static,
    ) {
        match self {
            Self::Get(reference) => on.get_then(&reference, |got| then(got.map(Output::Secret))),
            Self::GetMany(references) => {
                on.get_many_then(references, |got| then(got.map(Output::Secrets)));
            }
            Self::ResolveEnvironment(request) => {
                on.resolve_environment_then(&request, |got| then(got.map(Output::Environment)));
            }
            Self::List(vault) => on.list_then(&vault, |got| then(got.map(Output::Listing))),
            Self::Versions(reference) => {
                on.versions_then(&reference, |got| then(got.map(Output::Listing)));
            }
            Self::Token(request) => on.token_then(request, |got| then(got.map(Output::Token))),
            Self::Whoami(request) => on.token_then(request, |got| then(got.map(Output::Identity))),
            Self::Plan(reference) => {
                on.plan_then(reference.as_deref(), |got| then(got.map(Output::Plan)));
            }
        }
    }
}

fn token_request_from(arguments: &Bound<'_, PyTuple>) -> PyResult<TokenRequest> {
    type Arguments = (Option<String>, Option<String>, Option<String>, Option<String>);
    let (resource, scope, tenant, claims) = arguments.extract::<Arguments>()?;
    token_request(arguments.py(), resource, scope, tenant, claims)
}

/// A request for a token. `resource` and `scope` are two names of one field.
pub(crate) fn token_request(
    py: Python<'_>,
    resource: Option<String>,
    scope: Option<String>,
    tenant: Option<String>,
    claims: Option<String>,
) -> PyResult<TokenRequest> {
    if resource.is_some() && scope.is_some() {
        let message = "getting a token: `resource` and `scope` are both given";
        return Err(error::usage(py, message, "give one of them"));
    }
    Ok(TokenRequest { resource: resource.or(scope), tenant, claims })
}
