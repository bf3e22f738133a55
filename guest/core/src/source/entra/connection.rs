//! A service connection of Azure Pipelines: the pipeline's own token, exchanged for an assertion.
//! <https://learn.microsoft.com/azure/devops/pipelines/library/connect-to-azure>

use alloc::{format, string::String};

use super::unanswered;
use crate::{
    call::Call,
    context::{Context, Method, Request},
    error::{Error, Id},
    limits,
    plan::{Plan, Purpose, server},
    retry,
    source::denial::Denial,
    token::is_token,
    words::{json, secret::SecretString, url::Url},
};

/// A service connection, and who vouches for it.
pub(in crate::source) struct Connection {
    pub(in crate::source) url: Url,
    pub(in crate::source) token: SecretString,
}

impl Connection {
    pub(super) fn plan(&self, plan: &mut Plan) {
        plan.servers.push(server(&self.url, Purpose::TokenAuthority));
    }

    /// A token of the pipeline's.
    pub(super) fn token<C: Context>(&self, call: &Call<'_, C>) -> Result<SecretString, Denial> {
        let doing = format!("asking {} for the pipeline's token", self.url.short_authority());
        let response = retry::send(call, &limits::AUTHORITY, &|| self.request())
            .map_err(|stopped| unanswered(&doing, &self.url, stopped))?;
        let failed = |id, what: String| {
            Error::new(id, format!("{doing}: {what}")).with_answer(response.status, None)
        };
        match response.status {
            200 => {}
            401 | 403 => {
                let what = format!("it answered {}", response.status);
                let help = "map `SYSTEM_ACCESSTOKEN: $(System.AccessToken)` into the step, and check \
                            `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`";
                return Err(failed(Id::AuthorityRefused, what).with_help(help).into());
            }
            429 => return Err(failed(Id::AuthorityThrottled, "it asks for patience".into()).into()),
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

    fn request(&self) -> Request {
        let bearer = format!("Bearer {}", self.token.reveal());
        Request {
            method: Method::Post,
            url: self.url.clone(),
            headers: [
                ("accept", "application/json".into()),
                ("authorization", bearer.into()),
                ("content-type", "application/json".into()),
                // Without it a refusal is a page to log in.
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
}
