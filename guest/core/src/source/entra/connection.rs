//! The federated token that Azure Pipelines issues for a service connection.
//! <https://learn.microsoft.com/azure/devops/pipelines/library/connect-to-azure>

use alloc::{format, string::String};

use super::{client::ServiceConnection, refusal};
use crate::{
    call::Call,
    context::{Context, Method, Request},
    error::{Error, Id},
    limits, message, retry,
    source::denial::Denial,
    token::is_token,
    words::{json, secret::SecretString},
};

/// Gets the pipeline's federated token, which proves the identity of the service connection.
pub(super) fn token<C: Context>(
    call: &Call<'_, C>,
    connection: &ServiceConnection,
) -> Result<SecretString, Denial> {
    let doing = format!("asking {} for the pipeline's token", connection.url.short_host_and_port());
    let response = retry::send(call, &limits::AUTHORITY, &|| request(connection))
        .map_err(|stopped| refusal::unanswered(&doing, &connection.url, stopped))?;
    let fault = message::fault(&response, &[&connection.token]);
    let detail = fault.detail(&response);
    let failed = |id, what: String| {
        Error::new(id, format!("{doing}: {what}{detail}")).with_answer(response.status, None)
    };
    match response.status {
        200 => {}
        401 | 403 => {
            let what = format!("it answered {}", response.status);
            let help = "map `SYSTEM_ACCESSTOKEN: $(System.AccessToken)` into the step, and check \
                        `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`";
            return Err(failed(Id::AuthorityRefused, what).with_help(help).into());
        }
        429 => {
            return Err(failed(Id::AuthorityThrottled, "it is throttling requests".into()).into());
        }
        status @ (408 | 500..) => {
            return Err(failed(Id::AuthorityFailed, format!("it answered {status}")).into());
        }
        status => {
            let error = failed(Id::AuthorityUnexpected, format!("it answered {status}"));
            return Err(error.with_help("check `SYSTEM_OIDCREQUESTURI`").into());
        }
    }
    let token = json::parse(&response.body).and_then(|body| body.secret("oidcToken"));
    match token.filter(|token| is_token(token.reveal())) {
        Some(token) => Ok(token),
        None => {
            let what = "its answer has no token".into();
            Err(failed(Id::AuthorityUnexpected, what).into())
        }
    }
}

fn request(connection: &ServiceConnection) -> Request {
    let bearer = format!("Bearer {}", connection.token.reveal());
    Request {
        method: Method::Post,
        url: connection.url.clone(),
        headers: [
            ("accept", "application/json".into()),
            ("authorization", bearer.into()),
            ("content-type", "application/json".into()),
            // Without this header, a refusal is a login page.
            ("x-tfs-fedauthredirect", "Suppress".into()),
        ]
        .into(),
        body: Some("".into()),
        connect_timeout: limits::AUTHORITY_CONNECT,
        first_byte_timeout: limits::AUTHORITY_FIRST_BYTE,
        total_timeout: limits::AUTHORITY_FIRST_BYTE,
        max_body: limits::TOKEN_BODY,
    }
}
