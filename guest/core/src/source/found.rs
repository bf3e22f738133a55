//! The result of looking for a source, and a source that is ready to be asked for tokens.

use alloc::{boxed::Box, string::String, vec::Vec};

use super::{denial::Denial, entra, local, login};
use crate::{
    call::Call,
    context::Context,
    error::Error,
    plan::Plan,
    settings::{Label, Lookup, set},
    token::{Token, TokenRequest},
};

/// What variables and settings say about a source.
pub(super) enum Found {
    /// The source is not configured, for this reason.
    Absent(String),
    /// The source is configured.
    Here(Ready),
    /// The source is configured, in this form if it has several, but its variables are wrong.
    Unusable(Option<&'static str>, Error),
}

impl Found {
    /// The result for a source in one form, whose variables are right or wrong.
    pub(super) fn from_form(form: Option<&'static str>, ready: Result<Ready, Error>) -> Self {
        match ready {
            Ok(ready) => Self::Here(ready),
            Err(error) => Self::Unusable(form, error),
        }
    }
}

impl Found {
    /// The result for a source that lacks one of these variables; none if all are set.
    pub(super) fn without(variables: Lookup<'_>, needed: &[&str]) -> Option<Self> {
        missing(variables, needed).map(Self::Absent)
    }
}

/// Says which of these variables are not set, and which are; none if all are set.
pub(super) fn missing(variables: Lookup<'_>, needed: &[&str]) -> Option<String> {
    let (there, missing): (Vec<&str>, Vec<&str>) =
        needed.iter().copied().partition(|name| set(variables, name).is_some());
    let mut text = String::new();
    push_names(&mut text, &missing);
    text.push_str(" not set");
    if !there.is_empty() {
        text.push_str(", though ");
        push_names(&mut text, &there);
    }
    (!missing.is_empty()).then_some(text)
}

/// Adds names and their verb: "`A`, `B` and `C` are".
fn push_names(text: &mut String, names: &[&str]) {
    for (at, name) in names.iter().enumerate() {
        text.push_str(match names.len() - at {
            _ if at == 0 => "",
            1 => " and ",
            _ => ", ",
        });
        text.push('`');
        text.push_str(name);
        text.push('`');
    }
    text.push_str(if names.len() == 1 { " is" } else { " are" });
}

/// A source that is ready to be asked for tokens, by protocol.
pub(super) enum Ready {
    /// A local identity endpoint.
    Endpoint(Box<local::Endpoint>),
    /// A client of the token authority.
    Client(Box<entra::Client>),
    /// A developer's login.
    Login(&'static login::Login),
}

impl Ready {
    pub(super) fn endpoint(endpoint: local::Endpoint) -> Self {
        Self::Endpoint(Box::new(endpoint))
    }

    pub(super) fn client(client: entra::Client) -> Self {
        Self::Client(Box::new(client))
    }

    /// The form of the source, if it has several.
    pub(super) fn form(&self) -> Option<&'static str> {
        match self {
            Self::Endpoint(endpoint) => Some(endpoint.form),
            Self::Client(client) => client.form,
            Self::Login(_) => None,
        }
    }

    /// Whether the source is assumed, not configured.
    pub(super) fn is_guessed(&self) -> bool {
        match self {
            Self::Endpoint(endpoint) => endpoint.guessed,
            Self::Client(_) => false,
            Self::Login(_) => true,
        }
    }

    /// Adds what the source needs to a plan.
    pub(super) fn plan(&self, plan: &mut Plan) {
        match self {
            Self::Endpoint(endpoint) => endpoint.plan(plan),
            Self::Client(client) => client.plan(plan),
            Self::Login(login) => login.plan(plan),
        }
    }

    /// Asks the source for a token.
    pub(super) fn token<C: Context>(
        &self,
        call: &Call<'_, C>,
        label: Label,
        request: &TokenRequest,
    ) -> Result<Token, Denial> {
        match self {
            Self::Endpoint(endpoint) => local::token(call, label, endpoint, request),
            Self::Client(client) => entra::token(call, label, client, request),
            Self::Login(login) => login::token(call, label, login, request),
        }
    }
}
