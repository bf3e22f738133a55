//! Asking a local identity endpoint, whatever its protocol: one request, one JSON answer.

pub(super) mod identity;
pub(super) mod job;
pub(super) mod keyfile;
mod refusal;
mod request;

use alloc::{borrow::ToOwned, boxed::Box, format, string::String, vec::Vec};

use super::{answer, denial::Denial};
use crate::{
    call::Call,
    context::{Context, SendError},
    error::{Error, Id},
    limits::{self, Retries},
    plan::{File, Plan, Purpose, Trust, server},
    retry::{self, Stopped},
    settings::{Label, malformed},
    token::{Token, TokenRequest, UserAssigned},
    words::{secret::SecretString, url::Url},
};
use identity::Chosen;

/// A local identity endpoint and its protocol.
pub(super) struct Endpoint {
    /// The form of its source.
    pub(super) form: &'static str,
    /// Where it is.
    pub(super) url: Url,
    /// The variable that says so.
    pub(super) url_from: &'static str,
    /// How it is asked.
    pub(super) protocol: Protocol,
    /// What the query begins with.
    pub(super) parameters: &'static [(&'static str, &'static str)],
    /// The header that proves that the caller belongs to this machine.
    pub(super) header: Option<(&'static str, SecretString)>,
    /// The variable that it comes from.
    pub(super) header_from: &'static str,
    /// Whether `metadata: true` goes with it.
    pub(super) metadata: bool,
    /// What a user-assigned id is called, if it can be carried.
    pub(super) id_parameter: fn(&UserAssigned) -> Option<&'static str>,
    /// The SHA-1 of its certificate, where that is what is trusted.
    pub(super) pin: Option<String>,
    /// How it is asked again.
    pub(super) retries: &'static Retries,
    /// Whether nothing says that it exists: then one that cannot be reached is not there.
    pub(super) guessed: bool,
    /// Whether to find that out first, quickly.
    pub(super) probe: bool,
    /// Whether its identity is the user's, which no id can choose.
    pub(super) of_user: bool,
    /// The agent that answers instead, where it is installed.
    pub(super) agent: Option<Box<Agent>>,
}

/// An agent of this machine that takes an endpoint's place.
pub(super) struct Agent {
    /// The program that is there where the agent is installed.
    pub(super) program: &'static str,
    /// The agent's endpoint.
    pub(super) endpoint: Endpoint,
}

/// How an endpoint is asked.
pub(super) enum Protocol {
    /// By a query.
    Query,
    /// By a form.
    Form,
    /// By a query, once more with the content of a file in this folder, which only the machine's own
    /// programs can read.
    KeyFile(String),
    /// By a Spark job's JSON.
    Spark(job::Job),
}

impl Endpoint {
    /// With the URL that a variable names: plain `http` only where nobody listens in.
    pub(super) fn named(
        form: &'static str,
        variable: &'static str,
        url: &str,
    ) -> Result<Self, Error> {
        let url = Url::parse(url.trim()).map_err(|why| malformed(variable, why))?;
        if !url.secure && !url.is_near() {
            return Err(malformed(
                variable,
                "an `https` URL, or `http` on a loopback, link-local or private address",
            ));
        }
        Ok(Self {
            form,
            url,
            url_from: variable,
            protocol: Protocol::Query,
            parameters: &[],
            header: None,
            header_from: "",
            metadata: false,
            id_parameter: |_| None,
            pin: None,
            retries: &limits::IDENTITY,
            guessed: false,
            probe: false,
            of_user: false,
            agent: None,
        })
    }

    pub(super) fn plan(&self, plan: &mut Plan) {
        let purpose = match self.protocol {
            Protocol::Spark(_) => Purpose::TokenAuthority,
            _ => Purpose::IdentityEndpoint,
        };
        let mut authority = server(&self.url, purpose);
        if let Some(pin) = &self.pin {
            authority.trust = Trust::Pinned(pin.clone());
        }
        plan.servers.push(authority);
        if let Protocol::KeyFile(folder) = &self.protocol {
            plan.files.push(File::Folder(folder.clone(), keyfile::ENDING));
        }
        if let Some(agent) = &self.agent {
            plan.files.push(File::Path(agent.program.to_owned()));
            agent.endpoint.plan(plan);
        }
    }
}

/// Gets a token there.
pub(super) fn token<C: Context>(
    call: &Call<'_, C>,
    label: Label,
    endpoint: &Endpoint,
    request: &TokenRequest,
) -> Result<Token, Denial> {
    let identity = identity::choose(call, endpoint, request)?;
    if endpoint.probe {
        probe(call, endpoint)?;
    }
    let asking = request::Asking::new(endpoint, request, identity.as_ref())?;
    let doing = format!("asking the identity endpoint at {}", endpoint.url.authority());
    let key = match &endpoint.protocol {
        Protocol::KeyFile(folder) => {
            Some(keyfile::key(call, endpoint, folder, &|| asking.build(None), &doing)?)
        }
        _ => None,
    };
    let response = match retry::send(call, endpoint.retries, &|| asking.build(key.as_ref())) {
        Ok(response) => response,
        Err(Stopped::Send(error)) if endpoint.guessed && is_silence(&error) => {
            return Err(Denial::Absent(error.describe(&endpoint.url.authority())));
        }
        Err(stopped) => return Err(refusal::unanswered(&doing, endpoint, stopped).into()),
    };
    if response.status != 200 {
        let mut hidden: Vec<&SecretString> = endpoint.header.iter().map(|(_, s)| s).collect();
        hidden.extend(&key);
        if let Protocol::Spark(job) = &endpoint.protocol {
            hidden.push(job.secret());
        }
        return Err(refusal::refusal(
            call,
            &doing,
            endpoint,
            identity.as_ref(),
            &response,
            &hidden,
        ));
    }
    let unexpected = |why: &str| {
        let error = Error::new(Id::IdentityUnexpected, format!("{doing}: {why}"));
        refusal::named(error.with_answer(response.status, None), endpoint)
    };
    if let (Protocol::KeyFile(_), Some(chosen)) = (&endpoint.protocol, &identity)
        && !keyfile::echoes(&response.body, &chosen.id)
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
            Some(Chosen { id: UserAssigned::Client(id), .. }) => Some(id),
            _ => None,
        },
        other: None,
    })
}

/// One short request without the header that would make it a token request: any answer means that
/// there is a metadata service. That there is none is remembered for a while.
fn probe<C: Context>(call: &Call<'_, C>, endpoint: &Endpoint) -> Result<(), Denial> {
    let authority = endpoint.url.authority();
    if call.context.now() < call.memory.no_metadata_until.get() {
        return Err(Denial::Absent(format!("{authority} did not answer a moment ago")));
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
        // A captive portal, or another cloud's.
        Ok(response) if response.body.trim_ascii_start().starts_with(b"<") => absent(format!(
            "{authority} answered {} with a page, as no metadata service of Azure does",
            response.status
        )),
        Ok(_) | Err(Stopped::Send(SendError::BodyTooLarge)) => Ok(()),
        Err(Stopped::Send(error)) => absent(error.describe(&authority)),
        Err(stopped) => Err(refusal::unanswered("looking for IMDS", endpoint, stopped).into()),
    }
}

/// Nobody is there, or the sandbox cannot see it.
fn is_silence(error: &SendError) -> bool {
    matches!(
        error,
        SendError::Refused
            | SendError::Unreachable
            | SendError::Name
            | SendError::Timeout
            | SendError::Denied
    )
}
