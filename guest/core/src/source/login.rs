//! Developers' logins: the host runs a tool such as `az`, which prints a token of whoever is logged in.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use base64ct::{Base64, Encoding as _};

use super::{answer::Answer, denial::Denial, local::ChosenIdentity};
use crate::{
    call::Call,
    context::{Context, Method, Request, Response},
    error::{Error, Id},
    limits, message,
    plan::{Plan, Program},
    retry::{self, Stopped},
    settings::Label,
    token::{Token, TokenRequest},
    words::{json, url::Url},
};

const HOST: &str = "http://programs.vaultlet.internal";

/// A developer's tool that can print tokens.
pub(super) struct Login {
    /// The program and its arguments.
    pub(super) program: Program,
    /// The command by which a person logs in.
    pub(super) login_command: &'static str,
    /// Phrases in the output of a tool with which nobody is logged in.
    pub(super) not_logged_in: &'static [&'static str],
    /// Whether the tool accepts claims.
    pub(super) takes_claims: bool,
    /// Parses the output.
    pub(super) parse: fn(&[u8], i64) -> Result<Answer, &'static str>,
}

impl Login {
    /// Adds the program to a plan.
    pub(super) fn plan(&self, plan: &mut Plan) {
        plan.programs.push(self.program.clone());
    }
}

/// Gets a token from a developer's tool.
pub(super) fn token<C: Context>(
    call: &Call<'_, C>,
    label: Label,
    login: &Login,
    request: &TokenRequest,
) -> Result<Token, Denial> {
    let name = login.program.command;
    if !call.context.has_host_services() {
        let what = format!("`{name}` runs only at vaultlet's own host");
        return Err(if call.settings.chain.named {
            Error::new(Id::HostRequired, what).into()
        } else {
            Denial::Absent(what)
        });
    }
    if let Some(chosen) = ChosenIdentity::find_explicit(call, request) {
        let error = chosen.unsupported_error();
        return Err(if call.settings.chain.named {
            error.into()
        } else {
            Denial::Absent(error.message.clone())
        });
    }
    let claims = request.claims.as_deref().map(|claims| Base64::encode_string(claims.as_bytes()));
    if let (Some(claims), false) = (&claims, login.takes_claims) {
        let how = login.login_command;
        return Err(Denial::Absent(format!(
            "it takes no claims; run `{how} --claims-challenge {claims}`"
        )));
    }
    let mut output = run(call, login, request, request.tenant.as_deref(), claims.as_deref())?;
    if request.tenant.is_some() && matches!(output, ToolOutput::Failed(_)) {
        // The person who is logged in may not exist in that tenant.
        output = run(call, login, request, None, claims.as_deref())?;
    }
    let answer = match output {
        ToolOutput::Token(answer) => answer,
        ToolOutput::NotLoggedIn => {
            return Err(Denial::Absent(format!(
                "nobody has logged in; run `{}`",
                login.login_command
            )));
        }
        ToolOutput::Failed(words) => {
            let error = Error::new(Id::LoginFailed, format!("`{name}` says: {words}"));
            return Err(error.into());
        }
    };
    Ok(Token {
        secret: answer.secret,
        expires_on: answer.expires_on,
        refresh_on: answer.refresh_on,
        resource: request.resource.clone(),
        source: label.name().to_owned(),
        endpoint: None,
        client_id: None,
        other: None,
    })
}

/// The output of a tool.
enum ToolOutput {
    Token(Answer),
    NotLoggedIn,
    /// An error in the tool's own words, as an excerpt.
    Failed(String),
}

/// Has the host run the tool.
fn run<C: Context>(
    call: &Call<'_, C>,
    login: &Login,
    request: &TokenRequest,
    tenant: Option<&str>,
    claims: Option<&str>,
) -> Result<ToolOutput, Denial> {
    let Program { name, command, .. } = login.program;
    let failed = |what: &str| Error::new(Id::LoginFailed, format!("running `{command}`: {what}"));
    let mut url = Url::parse(&format!("{HOST}/{name}")).map_err(failed)?;
    url.push("resource", &request.resource);
    for (name, value) in [("tenant", tenant), ("claims", claims)] {
        if let Some(value) = value {
            url.push(name, value);
        }
    }
    let response = retry::send(call, &limits::ONCE, &|| Request {
        method: Method::Get,
        url: url.clone(),
        headers: Vec::new(),
        body: None,
        connect_timeout: limits::IDENTITY_CONNECT,
        first_byte_timeout: limits::IDENTITY_FIRST_BYTE,
        total_timeout: limits::IDENTITY_FIRST_BYTE,
        max_body: limits::LOGIN_OUTPUT,
    })
    .map_err(|stopped| match stopped {
        Stopped::TimedOut | Stopped::Throttled { .. } => failed("the time has run out"),
        Stopped::Send(error) => failed(&error.describe("the host")),
    })?;
    match response.status {
        200 => {}
        404 => return Err(Denial::Absent(format!("`{command}` is not in `PATH`"))),
        504 => return Err(failed("it did not end in time").into()),
        _ => return Err(failed("the host could not run it").into()),
    }
    let Some((status, stdout, stderr)) = split_output(&response) else {
        return Err(failed("the host's response is malformed").into());
    };
    let words = core::str::from_utf8(stderr).unwrap_or_default();
    let printed = core::str::from_utf8(stdout).unwrap_or_default();
    let says = |phrase: &&str| words.contains(*phrase) || printed.contains(*phrase);
    // A refusal by Entra is quoted instead.
    if status != 0 && login.not_logged_in.iter().any(says) && !words.contains("AADSTS") {
        return Ok(ToolOutput::NotLoggedIn);
    }
    if status == 127 {
        return Err(Denial::Absent(format!("`{command}` is not there")));
    }
    if status != 0 {
        let in_json = message_in_json(if words.trim().is_empty() { printed } else { words });
        let words = in_json.as_deref().unwrap_or(words).trim();
        let words = message::excerpt(words.trim_start_matches("ERROR: "), &[]);
        return Ok(ToolOutput::Failed(if words.is_empty() {
            format!("nothing, and ended with {status}")
        } else {
            words
        }));
    }
    match (login.parse)(stdout, call.context.now()) {
        Ok(answer) => Ok(ToolOutput::Token(answer)),
        // Some tools report a missing login with exit status 0.
        Err(_) if login.not_logged_in.iter().any(says) => Ok(ToolOutput::NotLoggedIn),
        Err(why) => Err(failed(why).into()),
    }
}

/// The error message in lines of JSON, for tools that write errors as JSON.
fn message_in_json(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let line = json::parse_text(line)?;
        let message = line.get("data").and_then(|data| data.text("message"));
        message.or_else(|| line.text("error"))
    })
}

/// The exit status, stdout and stderr, which the host sends in one body.
fn split_output(response: &Response) -> Option<(i32, &[u8], &[u8])> {
    let status = response.header("vaultlet-exit-status")?.parse().ok()?;
    let length = response.header("vaultlet-stdout-length")?.parse().ok()?;
    let (stdout, stderr) = response.body.split_at_checked(length)?;
    Some((status, stdout, stderr))
}
