//! The identity endpoint that is lent to child processes, in the protocols of Azure's own, so that
//! Microsoft's SDKs find it. It asks for the same token as its host does, and keeps nothing.

use alloc::{
    borrow::{Cow, ToOwned},
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::http::{Incoming, Reply, is_same};
use crate::{
    call::{Call, Memory},
    context::Context,
    error::{Error, ErrorKind},
    limits::TARGET,
    token::{Token, TokenRequest, UserAssigned},
    tokens,
    words::{json::Object, secret::SecretString, url::unescaped},
};

/// The one authority that a child may ask for, `127.0.0.1:40123`.
pub const AUTHORITY_VARIABLE: &str = "VAULTLET_LENT_AUTHORITY";
/// The resources that may be asked for, separated by commas; Key Vault of the cloud without it.
pub const RESOURCES_VARIABLE: &str = "VAULTLET_LENT_RESOURCES";

/// The variables by which a child finds it. The two protocols without a secret header carry the
/// secret in their path.
pub fn variables(authority: &str, secret: &str) -> Vec<(String, String)> {
    [
        ("IDENTITY_ENDPOINT", format!("http://{authority}{APP_SERVICE}")),
        ("IDENTITY_HEADER", secret.to_owned()),
        ("MSI_ENDPOINT", format!("http://{authority}{AZURE_ML}")),
        ("MSI_SECRET", secret.to_owned()),
        ("OBO_ENDPOINT", format!("http://{authority}{OBO}{secret}{OBO_END}")),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", format!("http://{authority}/{secret}")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

const APP_SERVICE: &str = "/msi/token";
const AZURE_ML: &str = "/MSI/auth";
const OBO: &str = "/OBO/";
const OBO_END: &str = "/token";
const IMDS_END: &str = "/metadata/identity/oauth2/token";
/// What a request has when somebody else sent it on.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "via"];

/// In which words is asked and answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    AppService,
    AzureMl,
    Obo,
    Imds,
}

/// Serves one request of a child's.
pub(super) fn serve<C: Context>(
    context: &C,
    memory: &Memory,
    incoming: &Incoming,
    secret: &SecretString,
) -> Reply {
    let (path, query) = incoming.target.split_once('?').unwrap_or((&incoming.target, ""));
    let Some((protocol, shown)) = protocol(path, incoming) else { return Reply::bare(401) };
    if !is_same(shown, secret) {
        return Reply::bare(401);
    }
    let authority = context.variable(AUTHORITY_VARIABLE).unwrap_or_default();
    let is_ours =
        incoming.authority.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(&authority));
    let is_forwarded = incoming.headers.iter().any(|(name, _)| FORWARDED.contains(&name.as_str()));
    if !is_ours || is_forwarded {
        return Reply::bare(403);
    }
    if !incoming.is_get {
        return Reply::only_get();
    }
    if protocol == Protocol::Imds
        && !incoming.header("metadata").is_some_and(|it| it.eq_ignore_ascii_case("true"))
    {
        return protocol.refuse(400, "usage", "the header `Metadata: true` is missing");
    }
    let Some(mut request) = protocol.request(query) else {
        return protocol.refuse(400, "argument-malformed", "the request is malformed");
    };
    request.fresh = incoming.wants_fresh();
    match answer(context, memory, &request) {
        Ok(Some(token)) => protocol.give(&token, context.now()),
        Ok(None) => {
            let what = format!("{} is not among the resources that are lent", request.resource);
            protocol.refuse(403, "egress-denied", &what)
        }
        Err(error) => protocol.fail(&error),
    }
}

/// None when the resource is not lent.
fn answer<C: Context>(
    context: &C,
    memory: &Memory,
    request: &TokenRequest,
) -> Result<Option<alloc::rc::Rc<Token>>, Error> {
    let call = Call::new(context, memory)?;
    let listed = context.variable(RESOURCES_VARIABLE).filter(|list| !list.is_empty());
    let listed = match listed {
        Some(listed) => listed,
        None => call.settings().known_cloud()?.resource(),
    };
    let plain = |text: &str| {
        let text = text.trim();
        text.strip_suffix("/.default").unwrap_or(text).trim_end_matches('/').to_ascii_lowercase()
    };
    let asked = plain(&request.resource);
    if !listed.split(',').any(|one| plain(one) == asked) {
        return Ok(None);
    }
    tokens::token(&call, request).map(Some)
}

/// Which protocol a path is of, and the secret that was shown.
fn protocol<'a>(path: &'a str, incoming: &'a Incoming) -> Option<(Protocol, &'a str)> {
    if path == APP_SERVICE {
        return Some((Protocol::AppService, incoming.header("x-identity-header")?));
    }
    if path == AZURE_ML {
        return Some((Protocol::AzureMl, incoming.header("secret")?));
    }
    let between = |before: &str, after: &str| path.strip_prefix(before)?.strip_suffix(after);
    if let Some(shown) = between(OBO, OBO_END) {
        return Some((Protocol::Obo, shown));
    }
    between("/", IMDS_END).map(|shown| (Protocol::Imds, shown))
}

impl Protocol {
    /// What the parameters of a query ask for; those of the protocol's versions are passed over.
    fn request(self, query: &str) -> Option<TokenRequest> {
        if query.len() > TARGET {
            return None;
        }
        let (mut resource, mut identity) = (None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=')?;
            let value: Cow<'_, str> = unescaped(value)?;
            let repeated = match (self, name) {
                (_, "resource") => resource.replace(value).is_some(),
                (Self::Obo, _) => false,
                (Self::AzureMl, "clientid" | "client_id") if value.is_empty() => false,
                (Self::AzureMl, "clientid")
                | (Self::AppService | Self::AzureMl | Self::Imds, "client_id") => {
                    identity.replace(UserAssigned::client_id(&value)?).is_some()
                }
                (_, "object_id" | "principal_id") => {
                    identity.replace(UserAssigned::object_id(&value)?).is_some()
                }
                (_, "mi_res_id" | "msi_res_id" | "resource_id") => {
                    identity.replace(UserAssigned::resource_id(&value)?).is_some()
                }
                _ => false,
            };
            if repeated {
                return None;
            }
        }
        TokenRequest::parse(&resource?, None, None, identity).ok()
    }

    fn give(self, token: &Token, now: i64) -> Reply {
        let left = token.expires_on.saturating_sub(now);
        let mut body = Object::default();
        body.text("access_token", token.secret.reveal());
        body.some_text("client_id", token.client_id.as_deref());
        match self {
            Self::AppService | Self::Imds => body
                .text("expires_in", &left.to_string())
                .text("expires_on", &token.expires_on.to_string()),
            Self::AzureMl | Self::Obo => body
                .some_number("expires_in", Some(left))
                .some_number("expires_on", Some(token.expires_on)),
        };
        body.text("resource", &token.resource).text("token_type", "Bearer");
        Reply::json(200, NOT_KEPT.into(), body.finish())
    }

    fn fail(self, error: &Error) -> Reply {
        let status = match error.kind {
            ErrorKind::Throttled => 429,
            ErrorKind::Unavailable | ErrorKind::Timeout => 503,
            ErrorKind::Internal => 500,
            _ => 400,
        };
        self.refuse(status, &error.id, &error.line()).after(error)
    }

    /// The protocol's own form of an error.
    fn refuse(self, status: u16, id: &str, message: &str) -> Reply {
        let mut body = Object::default();
        match self {
            Self::AppService => {
                // It has no place for an id of its own.
                let end = format!("({id})");
                let more = if message.ends_with(&end) { String::new() } else { format!(" {end}") };
                let message = format!("{message}{more}");
                body.some_number("statusCode", Some(status.into())).text("message", &message);
            }
            Self::Imds => {
                body.text("error", id).text("error_description", message);
            }
            Self::AzureMl | Self::Obo => {
                let inner = Object::default().text("code", id).text("message", message).finish();
                body.raw("error", &inner);
            }
        }
        Reply::json(status, NOT_KEPT.into(), body.finish())
    }
}

/// A child's secret stands in front of each answer.
const NOT_KEPT: &str = "no-store";
