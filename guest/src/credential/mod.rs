//! The chain of credential sources. The table below is the order; one source is one file.

mod answer;
mod appservice;
mod azureml;
mod environment;
mod imds;
mod local;
mod managed;
mod obo;
mod workload;

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use crate::{
    call::Call,
    context::Context,
    error::{Attempt, Error, ErrorKind, Id, Outcome},
    settings::{Lookup, Settings},
    token::{Token, TokenRequest},
    url::Url,
};

macro_rules! sources {
    ($($label:ident $module:ident $built:literal)*) => {
        /// What `auto` asks, in order.
        pub const AUTO: &[Label] = &[$(Label::$label),*];

        impl Label {
            /// Whether this version can get a token from it.
            pub fn is_built(self) -> bool {
                match self { $(Self::$label => $built,)* _ => false }
            }

            /// The environment variables that decide about it.
            pub(crate) fn variables(self) -> &'static [&'static str] {
                match self { $(Self::$label => $module::VARIABLES,)* _ => &[] }
            }

            fn find(self, variables: Lookup<'_>, settings: &Settings) -> Found {
                match self {
                    $(Self::$label => $module::find(variables, settings),)*
                    _ => Found::Absent(String::new()),
                }
            }
        }
    };
}

sources! {
    // label         module       built, or only recognised
    Environment      environment  false
    WorkloadIdentity workload     false
    AzuremlObo       obo          true
    ManagedIdentity  managed      true
}

macro_rules! labels {
    ($($label:ident $name:literal $($alias:literal)?)*) => {
        /// A source, as users name it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Label { $(#[doc = $name] $label,)* }

        impl Label {
            /// All that have a name, built or not.
            pub const ALL: &[Self] = &[$(Self::$label),*];

            /// Its name in settings and errors.
            pub fn name(self) -> &'static str {
                match self { $(Self::$label => $name,)* }
            }

            /// By its name or its alias.
            pub fn parse(text: &str) -> Option<Self> {
                match text.to_ascii_lowercase().as_str() {
                    $($name $(| $alias)? => Some(Self::$label),)*
                    _ => None,
                }
            }
        }
    };
}

labels! {
    Environment "environment"
    WorkloadIdentity "workload-identity"
    ManagedIdentity "managed-identity" "managed"
    AzuremlObo "azureml-obo" "obo"
    AzureCli "azure-cli"
    AzureDeveloperCli "azure-developer-cli"
    AzurePowershell "azure-powershell"
    AzurePipelines "azure-pipelines"
    OnBehalfOf "on-behalf-of"
    DeviceCode "device-code"
}

/// What the environment says about a source.
enum Found {
    /// Nothing asks for it, because of this.
    Absent(String),
    /// It is there.
    Here(local::Endpoint),
    /// It is there in a form, if it has several, that cannot be used.
    Unusable(Option<&'static str>, Error),
}

/// Why a source gave no token.
enum Denial {
    /// It is not there after all.
    Absent(String),
    /// It failed.
    Failed(Error),
}

/// Runs the chain.
///
/// A source that is not there lets the next one be asked. One that fails stops the chain, but a
/// managed identity's endpoint in a chain that nobody chose does not. Of several that failed the
/// first decides.
pub async fn token<C: Context>(call: &Call<'_, C>, request: &TokenRequest) -> Result<Token, Error> {
    let chain = &call.settings.chain;
    let lookup = |name: &str| call.variable(name);
    let mut attempts = Vec::new();
    let mut first: Option<(Label, Option<&'static str>, Error)> = None;
    let mut stopped = false;
    for &label in &chain.labels {
        if stopped {
            attempts.push(attempt(label, None, Outcome::Skipped, "an earlier source has failed"));
            continue;
        }
        let (form, denial) = match label.find(&lookup, &call.settings) {
            Found::Absent(why) => (None, Denial::Absent(why)),
            Found::Unusable(form, error) => (form, Denial::Failed(error)),
            Found::Here(endpoint) => match local::token(call, label, &endpoint, request).await {
                Ok(token) => return Ok(token),
                Err(denial) => (Some(endpoint.form), denial),
            },
        };
        match denial {
            Denial::Absent(why) => {
                attempts.push(attempt(label, form, Outcome::NotConfigured, &why));
            }
            Denial::Failed(error) => {
                attempts.push(attempt(label, form, Outcome::Failed, &error.message));
                stopped = chain.named
                    || label != Label::ManagedIdentity
                    || error.kind == ErrorKind::Configuration;
                if first.is_none() {
                    first = Some((label, form, error));
                }
            }
        }
    }
    for &label in &chain.excluded {
        attempts.push(attempt(label, None, Outcome::Skipped, "excluded by the settings"));
    }
    let doing = format!("getting a token for {}", request.resource);
    let mut error = match first {
        Some((label, form, mut error)) => {
            let form = form.map(|form| format!(" ({form})")).unwrap_or_default();
            error.message = format!("{doing}: {}{form}: {}", label.name(), error.message);
            error
        }
        None => Error::new(Id::NoIdentity, format!("{doing}: {}", nothing(&attempts))),
    };
    error.attempts = attempts;
    Err(error)
}

/// The endpoints that the chain may ask, in its order; it ends with the first that stops it.
pub(crate) fn endpoints(variables: Lookup<'_>, settings: &Settings) -> Vec<Url> {
    let mut urls = Vec::new();
    for &label in &settings.chain.labels {
        match label.find(variables, settings) {
            Found::Absent(_) => {}
            Found::Unusable(..) => break,
            Found::Here(endpoint) => {
                urls.push(endpoint.url);
                if label != Label::ManagedIdentity {
                    break;
                }
            }
        }
    }
    urls
}

fn attempt(label: Label, form: Option<&'static str>, outcome: Outcome, message: &str) -> Attempt {
    Attempt {
        source: label.name().to_owned(),
        endpoint: form.map(ToOwned::to_owned),
        outcome,
        message: message.to_owned(),
    }
}

fn nothing(attempts: &[Attempt]) -> String {
    let tried: Vec<String> = attempts
        .iter()
        .filter(|attempt| attempt.outcome == Outcome::NotConfigured)
        .map(|attempt| format!("{}: {}", attempt.source, attempt.message))
        .collect();
    if tried.is_empty() {
        "no source of credentials is left to ask".into()
    } else {
        format!("no source of credentials is configured here: {}", tried.join(", "))
    }
}

/// An unusable source that is recognised all the same.
fn unsupported(form: Option<&'static str>, what: &str) -> Found {
    Found::Unusable(
        form,
        Error::new(Id::SourceUnsupported, format!("{what} is not supported by this version")),
    )
}
