//! The device code grant: a user enters a code in a browser, possibly on another machine.
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code>

use alloc::{borrow::ToOwned, format, string::String};
use core::time::Duration;

use super::{client::Client, request::post};
use crate::{
    call::Call,
    context::{Context, Response},
    error::{Error, Id},
    limits::{DEVICE_INTERVAL, DEVICE_LIFE},
    message,
    token::TokenRequest,
    words::{claims, form::Form, json, secret::SecretString, url::Url},
};

/// A device code, as the authority issued it.
struct DeviceCode {
    /// The secret that the token requests carry.
    device_code: SecretString,
    /// The code that the user enters.
    user_code: String,
    /// The page on which the user enters it.
    page: String,
    /// Seconds between two token requests.
    interval: u64,
    /// Seconds until the code expires.
    life: u64,
}

/// Prompts the user to enter a code, and polls until that is done. Returns the last form that was sent,
/// and the response to it.
pub(super) fn token<C: Context>(
    call: &Call<'_, C>,
    client: &Client,
    tenant: &str,
    scope: &str,
    request: &TokenRequest,
) -> Result<(SecretString, Response), Error> {
    let doing = client.doing();
    if !call.context.can_prompt() {
        let what = format!("{doing}: nobody can be shown the code to enter");
        return Err(Error::new(Id::TerminalRequired, what));
    }
    let claims = claims::with_capabilities(request.claims.as_deref());
    let form = Form::default()
        .text("client_id", &client.id)
        .text("scope", scope)
        .text("claims", &claims)
        .finish();
    let response = post(call, client, &client.endpoint(tenant, "devicecode"), &form)?;
    if response.status != 200 {
        return Ok((form, response));
    }
    let code = parse(&response.body).ok_or_else(|| {
        let kind = message::content_type(&response);
        let what = format!("{doing}: its answer has no device code{kind}");
        Error::new(Id::AuthorityUnexpected, what).with_answer(response.status, None)
    })?;
    let line = format!("to log in, open {} and enter the code {}", code.page, code.user_code);
    call.context.prompt(&line);
    let url = client.endpoint(tenant, "token");
    let form = Form::default()
        .text("client_id", &client.id)
        .text("device_code", code.device_code.reveal())
        .text("grant_type", "urn:ietf:params:oauth:grant-type:device_code")
        .text("claims", &claims)
        .finish();
    let end = call.context.monotonic().saturating_add(Duration::from_secs(code.life));
    let mut interval = code.interval;
    loop {
        let pause = Duration::from_secs(interval);
        if pause >= call.remaining() {
            let what = format!("{doing}: the code was not entered while there was time");
            return Err(Error::new(Id::Timeout, what));
        }
        if call.context.monotonic() >= end {
            let what = format!("{doing}: the code was not entered in time");
            return Err(Error::new(Id::AuthorityRefused, what).with_help("run it again"));
        }
        call.context.wait(pause);
        let response = post(call, client, &url, &form)?;
        let error = if response.status == 400 { error_code(&response) } else { None };
        match error.as_deref() {
            Some("authorization_pending") => {}
            Some("slow_down") => interval = interval.saturating_add(DEVICE_INTERVAL),
            _ => return Ok((form, response)),
        }
    }
}

/// The OAuth error code of a response, which says whether to go on polling.
fn error_code(response: &Response) -> Option<String> {
    json::parse(&response.body)?.text("error")
}

fn parse(body: &[u8]) -> Option<DeviceCode> {
    let body = json::parse(body)?;
    let seconds = |name: &str, usual: u64| match body.integer(name) {
        Some(seconds) => u64::try_from(seconds).ok().filter(|s| (1..=86_400).contains(s)),
        None => Some(usual),
    };
    let user_code = body.text("user_code").filter(|code| {
        (1..=32).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })?;
    let page = body.text("verification_uri").or_else(|| body.text("verification_url"))?;
    let page = Url::parse(&page).ok().filter(|url| url.secure || url.is_loopback())?;
    Some(DeviceCode {
        device_code: body.secret("device_code").filter(|code| !code.reveal().is_empty())?,
        user_code,
        page: format!("{page}").trim_end_matches('/').to_owned(),
        interval: seconds("interval", DEVICE_INTERVAL)?,
        life: seconds("expires_in", DEVICE_LIFE)?,
    })
}
