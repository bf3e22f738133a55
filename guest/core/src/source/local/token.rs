//! Getting a token from a local identity endpoint.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{
    endpoint::{Endpoint, Protocol},
    identity::{self, ChosenIdentity},
    keyfile, refusal,
    request::{self, RequestTemplate},
};
use crate::{
    call::Call,
    context::{Context, Response, SendError},
    error::{Error, Id},
    limits, message,
    retry::{self, Stopped},
    settings::Label,
    source::{answer, denial::Denial},
    token::{Token, TokenRequest, UserAssigned},
    words::secret::SecretString,
};

/// Gets a token from a local identity endpoint.
pub(in crate::source) fn token<C: Context>(
    call: &Call<'_, C>,
    label: Label,
    endpoint: &Endpoint,
    request: &TokenRequest,
) -> Result<Token, Denial> {
    request_token(call, label, endpoint, request).map_err(|denial| {
        let Some(hint) = &endpoint.hint else { return denial };
        match denial {
            Denial::Absent(why) => Denial::Absent(format!("{why} ({hint})")),
            Denial::Failed(mut error) => {
                error.message = format!("{} ({hint})", error.message);
                Denial::Failed(error)
            }
        }
    })
}

fn request_token<C: Context>(
    call: &Call<'_, C>,
    label: Label,
    endpoint: &Endpoint,
    request: &TokenRequest,
) -> Result<Token, Denial> {
    let identity = identity::choose(call, endpoint, request)?;
    let is_known = !endpoint.probe || probe(call, endpoint)?;
    // A source whose failure ends the chain has the time that it needs.
    let is_patient = call.settings.chain.is_alone() || !label.may_fail();
    let template = RequestTemplate::new(endpoint, request, identity.as_ref(), is_patient)?;
    let doing = format!("asking the identity endpoint at {}", endpoint.url.host_and_port());
    let key = match &endpoint.protocol {
        Protocol::KeyFile(folder) => {
            Some(keyfile::key(call, endpoint, folder, &|| template.build(None), &doing)?)
        }
        _ => None,
    };
    // Something else may be there, which nobody should wait for.
    let retries = if is_known { endpoint.retries } else { &limits::ONCE };
    let response = match retry::send(call, retries, &|| template.build(key.as_ref())) {
        Ok(response) => response,
        Err(Stopped::Send(error)) if endpoint.guessed && is_absent(&error) => {
            return Err(Denial::Absent(error.describe(&endpoint.url.host_and_port())));
        }
        Err(stopped) => return Err(refusal::unanswered(call, &doing, endpoint, stopped).into()),
    };
    if !is_known
        && (message::is_page(&response) || !matches!(response.status, 200 | 400 | 429 | 500..))
    {
        return Err(Denial::Absent(foreign(endpoint, &response)));
    }
    if response.status != 200 {
        let mut hidden: Vec<&SecretString> = endpoint.header.iter().map(|(_, s)| s).collect();
        hidden.extend(&key);
        if let Protocol::Spark(job) = &endpoint.protocol {
            hidden.push(job.secret());
        }
        return Err(refusal::explain(
            call,
            &doing,
            endpoint,
            identity.as_ref(),
            &response,
            &hidden,
        ));
    }
    let unexpected = |why: &str| {
        let kind = message::content_type(&response);
        let error = Error::new(Id::IdentityUnexpected, format!("{doing}: {why}{kind}"));
        refusal::with_variable_help(call, error.with_answer(response.status, None), endpoint)
    };
    if let (Protocol::KeyFile(_), Some(chosen)) = (&endpoint.protocol, &identity)
        && !keyfile::is_response_for(&response.body, &chosen.id)
    {
        return Err(unexpected("its answer is not for the identity that was asked for").into());
    }
    let parsed = answer::parse(&response.body, call.context.now()).map_err(unexpected)?;
    Ok(Token {
        secret: parsed.secret,
        expires_on: parsed.expires_on,
        refresh_on: parsed.refresh_on,
        resource: request.resource.clone(),
        source: label.name().to_owned(),
        endpoint: Some(endpoint.form.to_owned()),
        client_id: match identity {
            Some(ChosenIdentity { id: UserAssigned::Client(id), .. }) => Some(id),
            _ => None,
        },
        other: None,
    })
}

/// Checks whether there is a metadata service at all, by a short request without the header that a token
/// request needs: any response but a page may be one. Its absence is cached for a while. Returns whether the
/// response is like that of IMDS, which refuses such a request, is being updated, or gives its name.
fn probe<C: Context>(call: &Call<'_, C>, endpoint: &Endpoint) -> Result<bool, Denial> {
    let server = endpoint.url.host_and_port();
    if call.context.now() < call.memory.no_metadata_until.get() {
        return Err(Denial::Absent(format!("{server} did not answer a moment ago")));
    }
    let absent = |why: String| {
        let until = call.context.now().saturating_add(limits::FAILURE);
        call.memory.no_metadata_until.set(until);
        Err(Denial::Absent(why))
    };
    match retry::send(call, &limits::ONCE, &|| request::probe(endpoint)) {
        Ok(response) if refusal::is_unreachable(&response) => {
            absent("the network says that it is unreachable".into())
        }
        // A captive portal, or the metadata service of another cloud.
        Ok(response) if message::is_page(&response) => absent(foreign(endpoint, &response)),
        Ok(response) => {
            let is_named = response.header("server").is_some_and(|name| name.contains("IMDS"));
            Ok(is_named || matches!(response.status, 400 | 410 | 429))
        }
        Err(Stopped::Send(SendError::BodyTooLarge)) => Ok(false),
        Err(Stopped::Send(error)) => absent(error.describe(&server)),
        Err(stopped) => {
            Err(refusal::unanswered(call, "looking for IMDS", endpoint, stopped).into())
        }
    }
}

/// What is said of a server at the address of the metadata service that is something else.
fn foreign(endpoint: &Endpoint, response: &Response) -> String {
    let (server, status) = (endpoint.url.host_and_port(), response.status);
    let how = if message::is_page(response) { " with a page" } else { "" };
    format!("{server} answered {status}{how}, as no metadata service of Azure does")
}

/// Whether an error means that no endpoint exists there, or that the sandbox does not admit it.
fn is_absent(error: &SendError) -> bool {
    matches!(
        error,
        SendError::Refused
            | SendError::Unreachable
            | SendError::Name
            | SendError::Timeout
            | SendError::Denied
    )
}
