//! Requests to the token authority.

use super::{client::Client, refusal};
use crate::{
    call::Call,
    context::{Context, Method, Request, Response},
    error::Error,
    limits, retry,
    words::{secret::SecretString, url::Url},
};

/// Sends a form to the authority, with retries.
pub(super) fn post<C: Context>(
    call: &Call<'_, C>,
    client: &Client,
    url: &Url,
    body: &SecretString,
) -> Result<Response, Error> {
    retry::send(call, &limits::AUTHORITY, &|| Request {
        method: Method::Post,
        url: url.clone(),
        headers: [
            ("accept", "application/json".into()),
            ("content-type", "application/x-www-form-urlencoded".into()),
        ]
        .into(),
        body: Some(body.reveal().into()),
        connect_timeout: limits::AUTHORITY_CONNECT,
        first_byte_timeout: limits::AUTHORITY_FIRST_BYTE,
        total_timeout: limits::AUTHORITY_FIRST_BYTE,
        max_body: limits::TOKEN_BODY,
    })
    .map_err(|stopped| refusal::unanswered(&client.doing(), url, stopped))
}
