//! The chain: who is asked next, who is not asked any more, and what is said when nobody had a
//! token.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{
    denial::Denial,
    found::{Found, Ready},
};
use crate::{
    call::Call,
    context::Context,
    error::{Attempt, Error, ErrorKind, Id, Outcome},
    plan::Plan,
    settings::{Label, Lookup, Settings, set},
    token::{Token, TokenRequest},
};

/// Variables that are set in Azure's services, where nobody has logged in.
pub(crate) const SERVICE: &[&str] = &[
    "AZUREML_ARM_SUBSCRIPTION",
    "AZUREML_RUN_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
    "CONTAINER_APP_NAME",
    "FUNCTIONS_WORKER_RUNTIME",
    "IDENTITY_ENDPOINT",
    "MSI_ENDPOINT",
    "OBO_ENDPOINT",
    "WEBSITE_INSTANCE_ID",
];

/// Runs the chain.
///
/// A source that is not there lets the next one be asked. One that fails stops the chain, but a
/// managed identity's endpoint or a developer's login in a chain that nobody chose does not. Of
/// several that failed the first decides.
pub(crate) fn token<C: Context>(
    call: &Call<'_, C>,
    request: &TokenRequest,
) -> Result<Token, Error> {
    let chain = &call.settings.chain;
    let lookup = |name: &str| call.variable(name);
    let mut attempts = Vec::new();
    let mut first: Option<(Label, Option<&'static str>, Error)> = None;
    let mut stopped = false;
    for (at, &label) in chain.labels.iter().enumerate() {
        if stopped {
            attempts.push(attempt(label, None, Outcome::Skipped, "an earlier source has failed"));
            continue;
        }
        if let Some(why) = left_out(label, &lookup, &call.settings) {
            attempts.push(attempt(label, None, Outcome::Skipped, &why));
            continue;
        }
        let (form, denial) = match label.find(&lookup, &call.settings) {
            Found::Absent(why) => (None, Denial::Absent(why)),
            Found::Unusable(form, error) => (form, Denial::Failed(error)),
            Found::Here(ready) => {
                let ready = settled(ready, call);
                match ready.token(call, label, request) {
                    Ok(mut token) => {
                        let later = chain.labels.iter().skip(at + 1);
                        token.other = other(later, &lookup, &call.settings);
                        return Ok(token);
                    }
                    Err(denial) => (ready.form(), denial),
                }
            }
        };
        match denial {
            Denial::Absent(why) => {
                attempts.push(attempt(label, form, Outcome::NotConfigured, &why));
            }
            Denial::Failed(error) => {
                attempts.push(attempt(label, form, Outcome::Failed, &error.message));
                stopped =
                    chain.named || !label.may_fail() || error.kind == ErrorKind::Configuration;
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

/// Adds what the sources of the chain need, in its order; it ends with the first that stops it.
pub(crate) fn plan(variables: Lookup<'_>, settings: &Settings, plan: &mut Plan) {
    for &label in &settings.chain.labels {
        if left_out(label, variables, settings).is_some() {
            continue;
        }
        match label.find(variables, settings) {
            Found::Absent(_) => {}
            Found::Unusable(..) => break,
            Found::Here(ready) => {
                ready.plan(plan);
                // A missing federated token lets the chain go on, too.
                if !label.may_fail() && label != Label::WorkloadIdentity {
                    break;
                }
            }
        }
    }
}

/// Why a login is left out: nobody chose it, and in a service there is nobody to log in.
fn left_out(label: Label, variables: Lookup<'_>, settings: &Settings) -> Option<String> {
    if !settings.chain.auto || !label.is_login() {
        return None;
    }
    let service = SERVICE.iter().find(|name| set(variables, name).is_some())?;
    Some(format!("no login of a developer's is used in an Azure service (`{service}` is set)"))
}

/// Another source that is there for certain, which somebody may have meant instead.
fn other<'a>(
    mut later: impl Iterator<Item = &'a Label>,
    variables: Lookup<'_>,
    settings: &Settings,
) -> Option<String> {
    let is_there = |label: &&Label| matches!(label.find(variables, settings), Found::Here(ready) if !ready.is_guessed());
    later.find(is_there).map(|label| label.name().to_owned())
}

/// What the files of this machine make of a source: the machine's endpoint where a federated token
/// is missing, an agent's endpoint where that agent is installed.
fn settled<C: Context>(ready: Ready, call: &Call<'_, C>) -> Ready {
    let ready = match ready {
        Ready::Client(client) => match client.fallback_if_file_missing(call) {
            Ok(endpoint) => Ready::Endpoint(endpoint),
            Err(client) => return Ready::Client(client),
        },
        ready => ready,
    };
    match ready {
        Ready::Endpoint(mut endpoint) => match endpoint.agent.take() {
            Some(agent) if call.context.is_file(agent.program) => Ready::endpoint(agent.endpoint),
            _ => Ready::Endpoint(endpoint),
        },
        ready => ready,
    }
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
