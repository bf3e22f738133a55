//! Asking a local identity endpoint, whatever its protocol: one GET, one JSON answer.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{Denial, Label, answer};
use crate::{
    call::Call,
    context::{Context, Method, Request, Response, SendError},
    error::{Error, Id},
    message::{self, Fault},
    retry::{self, Stopped},
    secret::SecretString,
    settings::malformed,
    timeouts::{self, Retries},
    token::{Token, TokenRequest, UserAssigned, is_guid},
    url::Url,
};

/// A local identity endpoint and its protocol.
pub(super) struct Endpoint {
    /// The form of its source.
    pub(super) form: &'static str,
    /// Where it is.
    pub(super) url: Url,
    /// The variable that says so.
    pub(super) url_from: &'static str,
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
    /// How it is asked again.
    pub(super) retries: &'static Retries,
    /// Whether nothing says that it exists: then one that cannot be reached is not there.
    pub(super) guessed: bool,
    /// Whether to find that out first, quickly.
    pub(super) probe: bool,
    /// Whether its identity is the user's, which no id can choose.
    pub(super) of_user: bool,
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
            parameters: &[],
            header: None,
            header_from: "",
            metadata: false,
            id_parameter: |_| None,
            retries: &timeouts::ONCE,
            guessed: false,
            probe: false,
            of_user: false,
        })
    }
}

/// Gets a token there.
pub(super) async fn token<C: Context>(
    call: &Call<'_, C>,
    label: Label,
    endpoint: &Endpoint,
    request: &TokenRequest,
) -> Result<Token, Denial> {
    let identity = identity(call, endpoint, request).map_err(Denial::Failed)?;
    if endpoint.probe {
        probe(call, endpoint).await?;
    }
    let url = url(endpoint, request, identity.as_ref()).map_err(Denial::Failed)?;
    let build = || build(endpoint, &url, true);
    let doing = format!("asking the identity endpoint at {}", url.authority());
    let response = match retry::send(call, endpoint.retries, &build).await {
        Ok(response) => response,
        Err(Stopped::Send(error)) if endpoint.guessed && is_silence(&error) => {
            return Err(Denial::Absent(error.describe(&url.authority())));
        }
        Err(stopped) => return Err(Denial::Failed(unanswered(&doing, endpoint, &url, stopped))),
    };
    if response.status != 200 {
        return Err(refusal(call, &doing, endpoint, identity.as_ref(), &response));
    }
    let parsed = answer::parse(&response.body, call.context.now()).map_err(|why| {
        let error = Error::new(Id::IdentityUnexpected, format!("{doing}: {why}"));
        Denial::Failed(named(error.with_answer(response.status, None), endpoint))
    })?;
    Ok(Token {
        secret: parsed.secret,
        expires_on: parsed.expires_on,
        refresh_on: parsed.refresh_on,
        resource: request.resource.clone(),
        source: label.name().to_owned(),
        endpoint: Some(endpoint.form.to_owned()),
        client_id: match identity {
            Some((UserAssigned::Client(id), _)) => Some(id),
            _ => None,
        },
    })
}

/// Which identity to ask for, and where that comes from: the call, the settings, Azure's variables.
fn identity<C: Context>(
    call: &Call<'_, C>,
    endpoint: &Endpoint,
    request: &TokenRequest,
) -> Result<Option<(UserAssigned, &'static str)>, Error> {
    if let Some(id) = &request.identity {
        return Ok(Some((id.clone(), "the call")));
    }
    if let Some((id, from)) = &call.settings.identity {
        return Ok(Some((id.clone(), *from)));
    }
    if endpoint.of_user {
        return Ok(None);
    }
    // Beside one of these it is a service principal's.
    let principal =
        ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"]
            .iter()
            .any(|name| call.variable(name).is_some());
    if let Some(id) = call.variable("AZURE_CLIENT_ID").filter(|_| !principal) {
        return match UserAssigned::client_id(&id) {
            Some(id) => Ok(Some((id, "`AZURE_CLIENT_ID`"))),
            None => Err(malformed("AZURE_CLIENT_ID", "a GUID")),
        };
    }
    if endpoint.form == "azure-ml" {
        // Without an identity of its own the compute has the text `clientid` there.
        let id = call.variable("DEFAULT_IDENTITY_CLIENT_ID").filter(|id| is_guid(id));
        return Ok(id.map(|id| (UserAssigned::Client(id), "`DEFAULT_IDENTITY_CLIENT_ID`")));
    }
    Ok(None)
}

/// One short request without the header that would make it a token request: any answer means that
/// there is a metadata service.
async fn probe<C: Context>(call: &Call<'_, C>, endpoint: &Endpoint) -> Result<(), Denial> {
    let build = || Request {
        connect_timeout: timeouts::PROBE,
        first_byte_timeout: timeouts::PROBE,
        total_timeout: timeouts::PROBE,
        ..build(endpoint, &endpoint.url, false)
    };
    match retry::send(call, &timeouts::ONCE, &build).await {
        Ok(response) if is_unreachable(&response) => {
            Err(Denial::Absent("the network says that it is unreachable".into()))
        }
        Ok(_) | Err(Stopped::Send(SendError::BodyTooLarge)) => Ok(()),
        Err(Stopped::Send(error)) => Err(Denial::Absent(error.describe(&endpoint.url.authority()))),
        Err(stopped) => {
            Err(Denial::Failed(unanswered("looking for IMDS", endpoint, &endpoint.url, stopped)))
        }
    }
}

fn url(
    endpoint: &Endpoint,
    request: &TokenRequest,
    identity: Option<&(UserAssigned, &'static str)>,
) -> Result<Url, Error> {
    let mut url = endpoint.url.clone();
    for (name, value) in endpoint.parameters {
        url.push(name, value);
    }
    url.push("resource", &request.resource);
    if let Some((id, from)) = identity {
        let Some(name) = (endpoint.id_parameter)(id) else {
            let error = Error::new(
                Id::IdentityIdUnsupported,
                format!("this source cannot carry the {} of {from}", words(id)),
            );
            return Err(if endpoint.of_user {
                error.with_help(
                    "it is the user's identity; for a managed one set \
                     `VAULTLET_IDENTITY=managed-identity`",
                )
            } else {
                error
            });
        };
        url.push(name, id.id());
    }
    Ok(url)
}

fn words(id: &UserAssigned) -> &'static str {
    match id {
        UserAssigned::Client(_) => "client id",
        UserAssigned::Object(_) => "object id",
        UserAssigned::Resource(_) => "resource id",
    }
}

fn build(endpoint: &Endpoint, url: &Url, authorized: bool) -> Request {
    let mut headers: Vec<(&'static str, SecretString)> = Vec::new();
    headers.push(("accept", "application/json".into()));
    if authorized {
        if endpoint.metadata {
            headers.push(("metadata", "true".into()));
        }
        if let Some((name, secret)) = &endpoint.header {
            headers.push((name, secret.reveal().into()));
        }
    }
    Request {
        method: Method::Get,
        url: url.clone(),
        headers,
        body: None,
        connect_timeout: timeouts::IDENTITY_CONNECT,
        first_byte_timeout: timeouts::IDENTITY_FIRST_BYTE,
        total_timeout: timeouts::IDENTITY_FIRST_BYTE,
        max_body: timeouts::TOKEN_BODY,
    }
}

fn unanswered(doing: &str, endpoint: &Endpoint, url: &Url, stopped: Stopped) -> Error {
    match stopped {
        Stopped::TimeUp => Error::new(Id::Timeout, format!("{doing}: the time has run out")),
        Stopped::Patience { status, after } => throttled(doing, status, Some(after)),
        Stopped::Send(error) => {
            let id = match error {
                SendError::Denied => Id::EgressDenied,
                SendError::TlsUntrusted => Id::CertificateUntrusted,
                SendError::BodyTooLarge => Id::IdentityUnexpected,
                _ => Id::IdentityUnreachable,
            };
            let message = format!("{doing}: {}", error.describe(&url.authority()));
            let error = Error::new(id, message);
            match id {
                Id::IdentityUnreachable | Id::IdentityUnexpected => named(error, endpoint),
                _ => error,
            }
        }
    }
}

fn throttled(doing: &str, status: u16, after: Option<core::time::Duration>) -> Error {
    let mut error = Error::new(Id::IdentityThrottled, format!("{doing}: it asks for patience"))
        .with_answer(status, None);
    error.retry_after_ms = after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
    error
}

/// What an answer that is not a success means. Its status decides; its body only explains.
fn refusal<C: Context>(
    call: &Call<'_, C>,
    doing: &str,
    endpoint: &Endpoint,
    identity: Option<&(UserAssigned, &'static str)>,
    response: &Response,
) -> Denial {
    if endpoint.guessed && is_unreachable(response) {
        return Denial::Absent("the network says that it is unreachable".into());
    }
    let hidden: Vec<&SecretString> = endpoint.header.iter().map(|(_, secret)| secret).collect();
    let Fault { code, message, .. } = message::fault(response, &hidden);
    let said = message.map(|message| format!(": {message}")).unwrap_or_default();
    let status = response.status;
    let id = match status {
        300..=399 => Id::IdentityRedirect,
        429 => {
            return Denial::Failed(throttled(
                doing,
                status,
                retry::retry_after(response, call.context.now()),
            ));
        }
        408 | 410 | 500.. => Id::IdentityFailed,
        400..=499 => Id::IdentityRefused,
        _ => Id::IdentityUnexpected,
    };
    let mut error =
        Error::new(id, format!("{doing}: it answered {status}{said}")).with_answer(status, code);
    error.request_id = message::request_id(response);
    match id {
        Id::IdentityRefused => error.help = advice(endpoint, identity, status),
        Id::IdentityRedirect | Id::IdentityUnexpected => error = named(error, endpoint),
        _ => {}
    }
    Denial::Failed(error)
}

/// With the variable to look at.
fn named(error: Error, endpoint: &Endpoint) -> Error {
    error.with_help(format!("check that it runs, and `{}`, which names it", endpoint.url_from))
}

fn advice(
    endpoint: &Endpoint,
    identity: Option<&(UserAssigned, &'static str)>,
    status: u16,
) -> String {
    if matches!(status, 401 | 403) && !endpoint.header_from.is_empty() {
        return format!("check `{}`, which it did not accept", endpoint.header_from);
    }
    match identity {
        Some((id, from)) => format!(
            "check that the identity with the {} {} (from {from}) is assigned here",
            words(id),
            id.id()
        ),
        None if endpoint.of_user => {
            "check that this step of the job has `identity: type: user_identity`".into()
        }
        None if endpoint.form == "azure-ml" => {
            "assign a managed identity to the compute, or name one by `VAULTLET_CLIENT_ID`".into()
        }
        None => {
            "assign a managed identity to this machine, or name one by `VAULTLET_CLIENT_ID`".into()
        }
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

/// A proxy's way of saying that there is no metadata service (Docker Desktop does).
fn is_unreachable(response: &Response) -> bool {
    response.status == 403
        && core::str::from_utf8(&response.body).is_ok_and(|body| body.contains("unreachable"))
}
