//! The credential sources. The table below is the order; one source is one file, and what several
//! of them speak has a folder or file of its own: `local` endpoints, the authority (`entra`),
//! developers' `login`s.

mod answer;
mod appservice;
mod arc;
mod azd;
mod azurecli;
mod azureml;
mod chain;
mod cloudshell;
mod devicecode;
mod entra;
mod environment;
mod exchange;
mod imds;
mod local;
mod login;
mod managed;
mod obo;
mod onbehalfof;
mod pipelines;
mod powershell;
mod servicefabric;
mod spark;
mod workload;

use alloc::{boxed::Box, string::String};

use crate::{
    call::Call,
    context::Context,
    error::Error,
    plan::Plan,
    settings::{Label, Lookup, Settings},
    source_table::for_each_source,
    token::{Token, TokenRequest},
};

pub(crate) use chain::token;
pub(crate) use chain::{SERVICE, plan};

macro_rules! sources {
    ($($when:ident $class:ident $label:ident $module:ident $name:literal $($alias:literal)?;)*) => {
        impl Label {
            /// The environment variables that decide whether this source is used, and how.
            pub(crate) fn variables(self) -> &'static [&'static str] {
                match self { $(Self::$label => $module::VARIABLES,)* }
            }

            fn find(self, variables: Lookup<'_>, settings: &Settings) -> Found {
                match self { $(Self::$label => $module::find(variables, settings),)* }
            }
        }
    };
}

for_each_source!(sources);

/// What the environment says about a source.
enum Found {
    /// Nothing asks for it, because of this.
    Absent(String),
    /// It is there.
    Here(Ready),
    /// It is there in a form, if it has several, that cannot be used.
    Unusable(Option<&'static str>, Error),
}

impl Found {
    /// A source with one form, whose variables are right or wrong.
    fn of(form: Option<&'static str>, ready: Result<Ready, Error>) -> Self {
        match ready {
            Ok(ready) => Self::Here(ready),
            Err(error) => Self::Unusable(form, error),
        }
    }
}

/// A source that is there, by what it takes to ask it.
enum Ready {
    /// A local identity endpoint.
    Endpoint(Box<local::Endpoint>),
    /// A client of the token authority.
    Client(Box<entra::Client>),
    /// A developer's login.
    Login(&'static login::Login),
}

impl Ready {
    fn endpoint(endpoint: local::Endpoint) -> Self {
        Self::Endpoint(Box::new(endpoint))
    }

    fn client(client: entra::Client) -> Self {
        Self::Client(Box::new(client))
    }

    fn form(&self) -> Option<&'static str> {
        match self {
            Self::Endpoint(endpoint) => Some(endpoint.form),
            Self::Client(client) => client.form,
            Self::Login(_) => None,
        }
    }

    /// What the files of this machine make of it: the agent's endpoint where there is an agent and no
    /// variable names another; the machine's where a federated token is not there.
    fn settled<C: Context>(self, call: &Call<'_, C>) -> Self {
        let ready = match self {
            Self::Client(client) => match client.otherwise_if_missing(call) {
                Ok(endpoint) => Self::Endpoint(endpoint),
                Err(client) => return Self::Client(client),
            },
            ready => ready,
        };
        match &ready {
            Self::Endpoint(guess) if guess.guessed && call.context.is_file(arc::AGENT) => {
                arc::by_agent().map_or(ready, Self::endpoint)
            }
            _ => ready,
        }
    }

    /// Whether nothing says that it exists.
    fn is_guessed(&self) -> bool {
        match self {
            Self::Endpoint(endpoint) => endpoint.guessed,
            Self::Client(_) => false,
            Self::Login(_) => true,
        }
    }

    fn plan(&self, plan: &mut Plan) {
        match self {
            Self::Endpoint(endpoint) => endpoint.plan(plan),
            Self::Client(client) => client.plan(plan),
            Self::Login(login) => login.plan(plan),
        }
    }

    fn token<C: Context>(
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

/// Why a source gave no token.
enum Denial {
    /// It is not there after all.
    Absent(String),
    /// It failed.
    Failed(Error),
}

impl From<Error> for Denial {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
