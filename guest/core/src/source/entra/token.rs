//! Getting a token from the authority.

use alloc::{borrow::ToOwned, format, string::String};

use super::{
    client::{Client, Grant},
    device, proof, refusal,
    request::post,
    tenant,
};
use crate::{
    call::Call,
    context::{Context, FileError, Response},
    error::{Error, Id},
    message,
    settings::Label,
    source::{answer, denial::Denial},
    token::{Token, TokenRequest},
    words::{claims, form::Form, secret::SecretString},
};

/// Gets a token from the authority.
pub(in crate::source) fn token<C: Context>(
    call: &Call<'_, C>,
    label: Label,
    client: &Client,
    request: &TokenRequest,
) -> Result<Token, Denial> {
    let id = client.id(call, request)?;
    let tenant = tenant::choose(&call.settings.tenants, client, request.tenant.as_deref())?;
    let url = client.endpoint(tenant, "token");
    let scope = format!("{}/.default", request.resource);
    let mut form = Form::default().text("client_id", &id);
    form = match &client.grant {
        Grant::Client => form.text("grant_type", "client_credentials"),
        Grant::Password { user, password } => form
            .text("grant_type", "password")
            .text("username", user)
            .text("password", password.reveal()),
        Grant::OnBehalfOf(path) => {
            let token = proof::read_token_file(call, path)?.ok_or_else(|| {
                let (path, why) = (message::plain(path), FileError::Missing.describe());
                let what = format!("the user's token {path}: {why}");
                Error::new(Id::CredentialFile, what)
            })?;
            form.text("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
                .text("assertion", token.reveal())
                .text("requested_token_use", "on_behalf_of")
        }
        Grant::Device => {
            let (form, response) = device::token(call, client, tenant, &scope, request)?;
            let response = check_success(call, client, &form, response)?;
            return read_token(call, label, client, id, request, &response).map_err(Denial::Failed);
        }
    };
    form = form
        .text("scope", &scope)
        .text("claims", &claims::with_capabilities(request.claims.as_deref()));
    form = proof::add(call, client, &url, form)?;
    let form = form.finish();
    let response = check_success(call, client, &form, post(call, client, &url, &form)?)?;
    read_token(call, label, client, id, request, &response).map_err(Denial::Failed)
}

/// The response to a form, unless it is an error.
fn check_success<C: Context>(
    call: &Call<'_, C>,
    client: &Client,
    form: &SecretString,
    response: Response,
) -> Result<Response, Error> {
    if response.status == 200 {
        return Ok(response);
    }
    Err(refusal::explain(client, form, &response, call.context.now()))
}

/// The token in a successful response.
fn read_token<C: Context>(
    call: &Call<'_, C>,
    label: Label,
    client: &Client,
    id: String,
    request: &TokenRequest,
    response: &Response,
) -> Result<Token, Error> {
    let parsed = answer::parse(&response.body, call.context.now()).map_err(|why| {
        let kind = message::content_type(response);
        Error::new(Id::AuthorityUnexpected, format!("{}: {why}{kind}", client.doing()))
            .with_answer(response.status, None)
    })?;
    Ok(Token {
        secret: parsed.secret,
        expires_on: parsed.expires_on,
        refresh_on: parsed.refresh_on,
        resource: request.resource.clone(),
        source: label.name().to_owned(),
        endpoint: client.form.map(ToOwned::to_owned),
        client_id: Some(id),
        other: None,
    })
}
