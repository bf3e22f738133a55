//! The lent identity endpoint: child processes get tokens from it by Azure's own protocols, so that
//! Microsoft's SDKs find it. The tokens come from the host's identity endpoint; none is cached here.

use alloc::{
    borrow::{Cow, ToOwned},
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::http::{Incoming, Reply, equals_secret};
use crate::{
    call::{Call, Memory},
    context::Context,
    error::{Error, ErrorKind},
    limits::TARGET,
    token::{Token, TokenRequest, UserAssigned},
    tokens,
    words::{json::Object, secret::SecretString, url::unescaped},
};

/// The variable with the address that requests must be for: `127.0.0.1:40123`.
pub const ADDRESS_VARIABLE: &str = "VAULTLET_LENT_AUTHORITY";
pub use crate::settings::RESOURCES_VARIABLE;
/// The variable with the one identity that is lent, as the host's identity endpoint names it
/// (`client_id=<id>`); unset: any.
pub const IDENTITY_VARIABLE: &str = "VAULTLET_LENT_IDENTITY";

/// The environment variables by which a child process finds the endpoint. The two protocols without a
/// secret header carry the secret in the path.
pub fn variables(address: &str, secret: &str) -> Vec<(String, String)> {
    [
        ("IDENTITY_ENDPOINT", format!("http://{address}{APP_SERVICE}")),
        ("IDENTITY_HEADER", secret.to_owned()),
        ("MSI_ENDPOINT", format!("http://{address}{AZURE_ML}")),
        ("MSI_SECRET", secret.to_owned()),
        ("OBO_ENDPOINT", format!("http://{address}{OBO}{secret}{OBO_END}")),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", format!("http://{address}/{secret}")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

const APP_SERVICE: &str = "/msi/token";
const AZURE_ML: &str = "/MSI/auth";
const OBO: &str = "/OBO/";
const OBO_END: &str = "/token";
const IMDS_END: &str = "/metadata/identity/oauth2/token";
/// Headers that a proxy adds to a request that it forwards.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "via"];

/// One of Azure's protocols for local identity endpoints.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    AppService,
    AzureMl,
    Obo,
    Imds,
}

/// Serves one request from a child process.
pub(super) fn serve<C: Context>(
    context: &C,
    memory: &Memory,
    incoming: &Incoming,
    secret: &SecretString,
) -> Reply {
    let (path, query) = incoming.target.split_once('?').unwrap_or((&incoming.target, ""));
    let Some((protocol, shown)) = find_protocol(path, incoming) else {
        return Reply::without_body(401);
    };
    if !equals_secret(shown, secret) {
        return Reply::without_body(401);
    }
    let address = context.variable(ADDRESS_VARIABLE).unwrap_or_default();
    let is_addressed =
        incoming.host.as_deref().is_some_and(|host| host.eq_ignore_ascii_case(&address));
    let is_forwarded = incoming.headers.iter().any(|(name, _)| FORWARDED.contains(&name.as_str()));
    if !is_addressed || is_forwarded {
        return Reply::without_body(403);
    }
    if !incoming.is_get {
        return Reply::method_not_allowed();
    }
    if protocol == Protocol::Imds
        && !incoming.header("metadata").is_some_and(|it| it.eq_ignore_ascii_case("true"))
    {
        return protocol.error_reply(400, "usage", "the header `Metadata: true` is missing");
    }
    let Some(mut request) = protocol.parse_request(query) else {
        return protocol.error_reply(400, "argument-malformed", "the request is malformed");
    };
    if let Some(lent) = context.variable(IDENTITY_VARIABLE).filter(|lent| !lent.is_empty())
        && let Some(asked) = &request.identity
        && !is_same(asked, &lent)
    {
        let what = "another identity is lent than the request names; name none, or have any \
                    identity lent (`--any-identity`)";
        return protocol.error_reply(400, "identity-id-unsupported", what);
    }
    request.fresh = incoming.wants_fresh();
    match get_token(context, memory, &mut request) {
        Ok(Some(token)) => protocol.token_reply(&token, context.now()),
        Ok(None) => {
            let what = format!("{} is not among the resources that are lent", request.resource);
            protocol.error_reply(403, "egress-denied", &what)
        }
        Err(error) => protocol.failure_reply(&error),
    }
}

/// Whether this identity is the one that is lent.
fn is_same(asked: &UserAssigned, lent: &str) -> bool {
    let is_id = |id: &str| id.eq_ignore_ascii_case(asked.id());
    lent.split_once('=').is_some_and(|(name, id)| name == asked.parameter() && is_id(id))
}

/// Gets the token; none if the resource is not lent. However a child spells a resource or an identity,
/// the host gets the same request, so that its cache answers it.
fn get_token<C: Context>(
    context: &C,
    memory: &Memory,
    request: &mut TokenRequest,
) -> Result<Option<alloc::rc::Rc<Token>>, Error> {
    let call = Call::new(context, memory)?;
    let listed = context.variable(RESOURCES_VARIABLE).filter(|list| !list.is_empty());
    let listed = match listed {
        Some(listed) => listed,
        None => call.settings().known_cloud()?.resource().into(),
    };
    let plain = |text: &str| {
        let text = text.trim();
        text.strip_suffix("/.default").unwrap_or(text).trim_end_matches('/').to_ascii_lowercase()
    };
    let requested = plain(&request.resource);
    let Some(resource) = listed.split(',').map(str::trim).find(|one| plain(one) == requested)
    else {
        return Ok(None);
    };
    resource.strip_suffix("/.default").unwrap_or(resource).clone_into(&mut request.resource);
    // An explicit choice of the lender's own choice is none.
    let of_lender = call.settings().identity.as_ref();
    if let Some(UserAssigned::Client(id) | UserAssigned::Object(id) | UserAssigned::Resource(id)) =
        &mut request.identity
    {
        id.make_ascii_lowercase();
    }
    request.identity = request.identity.take().filter(|asked| {
        !of_lender.is_some_and(|(lent, _)| {
            lent.parameter() == asked.parameter() && lent.id().eq_ignore_ascii_case(asked.id())
        })
    });
    tokens::token(&call, request).map(Some)
}

/// The protocol of a request, and the secret that the request shows.
fn find_protocol<'a>(path: &'a str, incoming: &'a Incoming) -> Option<(Protocol, &'a str)> {
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
    /// Parses the query of a token request; parameters for the protocol's version are ignored.
    fn parse_request(self, query: &str) -> Option<TokenRequest> {
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

    /// The reply with a token.
    fn token_reply(self, token: &Token, now: i64) -> Reply {
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
        Reply::json(200, NO_STORE.into(), body.finish())
    }

    /// The reply to a failure to get a token.
    fn failure_reply(self, error: &Error) -> Reply {
        let status = match error.kind {
            ErrorKind::Throttled => 429,
            ErrorKind::Unavailable | ErrorKind::Timeout => 503,
            ErrorKind::Internal => 500,
            _ => 400,
        };
        self.error_reply(status, &error.id, &error.line()).with_retry_after(error)
    }

    /// An error in the protocol's own form.
    fn error_reply(self, status: u16, id: &str, message: &str) -> Reply {
        let mut body = Object::default();
        match self {
            Self::AppService => {
                // The protocol has no field for the id.
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
        Reply::json(status, NO_STORE.into(), body.finish())
    }
}

/// The `cache-control` of every reply: a reply is for the caller that has shown the secret.
const NO_STORE: &str = "no-store";
