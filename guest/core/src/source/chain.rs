//! The chain: which source is asked next, when the chain ends, and the error when no source has a token.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{
    denial::Denial,
    found::{Found, Ready},
};
use crate::{
    call::Call,
    context::Context,
    error::{Attempt, Error, ErrorKind, Id, Outcome},
    message::find,
    plan::Plan,
    settings::{Label, Lookup, Settings, set},
    token::{Token, TokenRequest},
};

/// Variables that Azure's services set. In a service no developer is logged in, so logins are skipped.
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

/// Asks the sources of the chain, in order, until one has a token.
///
/// After a source that is not configured, the next one is asked. A source that fails ends the
/// chain, except for a managed identity or a developer's login that is not named alone. If several
/// sources failed, the error is that of the first.
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
        if let Some(why) = skip_reason(label, &lookup, &call.settings) {
            attempts.push(attempt(label, None, Outcome::Skipped, &why));
            continue;
        }
        let (form, denial) = match label.find(&lookup, &call.settings) {
            Found::Absent(why) => (None, Denial::Absent(why)),
            Found::Unusable(form, error) => (form, Denial::Failed(error)),
            Found::Here(ready) => {
                let ready = resolve_fallbacks(ready, call);
                match ready.token(call, label, request) {
                    Ok(mut token) => {
                        let later = chain.labels.iter().skip(at + 1);
                        token.other = find_alternative(later, &lookup, &call.settings);
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
                    chain.is_alone() || !label.may_fail() || error.kind == ErrorKind::Configuration;
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
        None => {
            let message = no_source_message(&attempts);
            if is_off_azure(&attempts, chain.auto, &lookup) {
                Error::new(Id::NoIdentity, format!("{doing}: you are not on Azure, and {message}"))
                    .with_help(OFF_AZURE)
            } else {
                let mut error = Error::new(Id::NoIdentity, format!("{doing}: {message}"));
                let asked = attempts.iter().filter(|it| it.outcome != Outcome::Skipped).count();
                // The only source that was asked has a remedy of its own.
                if let Some(at) = find(&error.message, REMEDY).filter(|_| asked == 1) {
                    error.help = error.message.split_off(at).split_off(REMEDY.len() - "run ".len());
                }
                error
            }
        }
    };
    error.attempts = attempts;
    Err(error)
}

/// Adds what the sources of the chain need to a plan, in order, up to the first source whose
/// failure ends the chain.
pub(crate) fn plan(variables: Lookup<'_>, settings: &Settings, plan: &mut Plan) {
    for &label in &settings.chain.labels {
        if skip_reason(label, variables, settings).is_some() {
            continue;
        }
        match label.find(variables, settings) {
            Found::Absent(_) => {}
            Found::Unusable(..) => break,
            Found::Here(ready) => {
                ready.plan(plan);
                // If the file with the federated token does not exist, the next source is asked.
                if !label.may_fail() && label != Label::WorkloadIdentity {
                    break;
                }
            }
        }
    }
}

/// The source at which the chain ends because its variables are wrong, if there is one.
pub(crate) fn unusable(variables: Lookup<'_>, settings: &Settings) -> Option<(Label, Error)> {
    for &label in &settings.chain.labels {
        if skip_reason(label, variables, settings).is_some() {
            continue;
        }
        match label.find(variables, settings) {
            Found::Unusable(_, error) => return Some((label, error)),
            Found::Here(_) if !label.may_fail() && label != Label::WorkloadIdentity => return None,
            Found::Here(_) | Found::Absent(_) => {}
        }
    }
    None
}

/// Why a source is skipped: a developer's login in the default chain, inside an Azure service.
fn skip_reason(label: Label, variables: Lookup<'_>, settings: &Settings) -> Option<String> {
    if !settings.chain.auto || !label.is_login() {
        return None;
    }
    let service = SERVICE.iter().find(|name| set(variables, name).is_some())?;
    Some(format!("developers' logins are not used in an Azure service (`{service}` is set)"))
}

/// A later source that is certainly configured, and that the user may have meant instead.
fn find_alternative<'a>(
    mut later: impl Iterator<Item = &'a Label>,
    variables: Lookup<'_>,
    settings: &Settings,
) -> Option<String> {
    let is_there = |label: &&Label| matches!(label.find(variables, settings), Found::Here(ready) if !ready.is_guessed());
    later.find(is_there).map(|label| label.name().to_owned())
}

/// Replaces a source by its fallback where files of this machine call for it: a client without its
/// token file by IMDS, IMDS by the endpoint of an installed Arc agent.
fn resolve_fallbacks<C: Context>(ready: Ready, call: &Call<'_, C>) -> Ready {
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

/// What is before a remedy in the words of a source.
const REMEDY: &str = "; run ";
/// The help where a person has no identity of a machine: two ways on.
const OFF_AZURE: &str = "run `az login` to use your own login, or `vaultlet dev -- COMMAND` for a local Azure \
    (in Azure a managed identity is enough)";

/// Whether this is certainly no machine of Azure: there is no metadata service, and nothing of a service.
fn is_off_azure(attempts: &[Attempt], is_auto: bool, variables: Lookup<'_>) -> bool {
    let is_missing = |attempt: &Attempt| {
        attempt.source == Label::ManagedIdentity.name() && attempt.outcome == Outcome::NotConfigured
    };
    is_auto
        && attempts.iter().any(is_missing)
        && SERVICE.iter().all(|name| set(variables, name).is_none())
}

/// The message when no source was configured.
fn no_source_message(attempts: &[Attempt]) -> String {
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
