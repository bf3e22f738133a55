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
    words::{
        json::{self, Value},
        url::Url,
        visible::on_one_line,
    },
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
    /// Phrases in the output of a tool that lacks its module for Azure.
    pub(super) module_missing: &'static [&'static str],
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
        return Err(if call.settings.chain.is_alone() {
            Error::new(Id::HostRequired, what).into()
        } else {
            Denial::Absent(what)
        });
    }
    if let Some(chosen) = ChosenIdentity::find_explicit(call, request) {
        let error = chosen.unsupported_error();
        return Err(if call.settings.chain.is_alone() {
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
    let printed = core::str::from_utf8(stdout).unwrap_or_default();
    let words = core::str::from_utf8(stderr).unwrap_or_default();
    let found = message_in_json(words).or_else(|| message_in_json(printed));
    let words = &*found.unwrap_or_else(|| message_in_text(words));
    let says = |phrase: &&str| words.contains(*phrase) || printed.contains(*phrase);
    if status != 0 && login.module_missing.iter().any(says) {
        return Err(Denial::Absent(format!(
            "its module for Azure is not installed; run `Install-Module Az.Accounts`, then `{}`",
            login.login_command
        )));
    }
    // A refusal by Entra is quoted instead.
    if status != 0 && login.not_logged_in.iter().any(says) && !words.contains("AADSTS") {
        return Ok(ToolOutput::NotLoggedIn);
    }
    if status == 127 {
        return Err(Denial::Absent(format!("`{command}` is not there")));
    }
    if status != 0 {
        return Ok(ToolOutput::Failed(if words.is_empty() {
            format!("nothing, and ended with {status}")
        } else {
            message::excerpt(words, &[])
        }));
    }
    match (login.parse)(stdout, call.context.now()) {
        Ok(answer) => Ok(ToolOutput::Token(answer)),
        // Some tools report a missing login with exit status 0.
        Err(_) if login.not_logged_in.iter().any(says) => Ok(ToolOutput::NotLoggedIn),
        Err(why) => Err(failed(why).into()),
    }
}

/// The error message in the JSON that a tool prints, as a whole or line by line: an `error` before the messages
/// that a person was to see meanwhile.
fn message_in_json(text: &str) -> Option<String> {
    let read = |object: &Value<'_>, member: &str| {
        let inner = object.get(member).and_then(|inner| message::words_of(inner, &["message"]));
        inner.or_else(|| message::words_of(object, &[member]))
    };
    let mut objects: Vec<Value<'_>> = json::parse_text(text).into_iter().collect();
    for line in text.lines() {
        objects.extend(json::parse_text(line));
    }
    for member in ["error", "data", "message"] {
        for object in &objects {
            if let Some(words) = read(object, member) {
                return Some(message_in_text(&words));
            }
        }
    }
    None
}

/// The error message in the text that a tool prints: without warnings, colours, and the script that PowerShell
/// quotes.
fn message_in_text(text: &str) -> String {
    let mut words = String::new();
    for line in text.lines() {
        let line: String = on_one_line(line).collect();
        let line = line.trim();
        let is_script = line.split_once(" |").is_some_and(|(number, _)| {
            !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
        });
        if line == "Line |" {
            words.clear();
        } else if !is_script
            && !["WARNING:", "At line:", "+ "].iter().any(|start| line.starts_with(start))
        {
            // The message stands to the right of a bar, below a mark under the script.
            let line = line.strip_prefix('|').unwrap_or(line).trim_start_matches([' ', '~']);
            words.push_str(line.strip_prefix("ERROR:").unwrap_or(line));
            words.push(' ');
        }
    }
    words.trim().into()
}

/// The exit status, stdout and stderr, which the host sends in one body.
fn split_output(response: &Response) -> Option<(i32, &[u8], &[u8])> {
    let status = response.header("vaultlet-exit-status")?.parse().ok()?;
    let length = response.header("vaultlet-stdout-length")?.parse().ok()?;
    let (stdout, stderr) = response.body.split_at_checked(length)?;
    Some((status, stdout, stderr))
}
