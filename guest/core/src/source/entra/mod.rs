//! Clients of the token authority (Microsoft Entra ID, or AD FS).
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

mod aadsts;
pub(super) mod connection;
pub(super) mod device;
mod proof;
mod refusal;
mod tenant;

use alloc::{borrow::ToOwned, boxed::Box, format, string::String};

use super::{
    answer,
    denial::Denial,
    local::{Endpoint, identity::Chosen},
};
use crate::{
    call::Call,
    context::{Context, FileError, Method, Request, Response},
    error::{Error, Id},
    limits, message,
    plan::{Certificates, File, Key, Plan, Purpose, Trust, server},
    retry,
    settings::Label,
    token::{Token, TokenRequest, UserAssigned},
    words::{claims, form::Form, secret::SecretString, url::Url},
};
use connection::Connection;
pub(super) use refusal::unanswered;
pub(super) use tenant::parse as tenant;

/// A client, and what it asks with.
pub(super) struct Client {
    /// The form of its source.
    pub(super) form: Option<&'static str>,
    /// Its client id.
    pub(super) id: String,
    /// The variable that says so.
    pub(super) id_from: &'static str,
    /// Its tenant.
    pub(super) tenant: String,
    /// The variable that says so.
    pub(super) tenant_from: &'static str,
    /// How it proves to be itself.
    pub(super) proof: Proof,
    /// What it asks with.
    pub(super) grant: Grant,
    /// Where the authority is.
    pub(super) authority: Url,
    /// How that is trusted, if it is another's proxy.
    pub(super) trust: Option<(Certificates, Option<String>)>,
    /// What is asked instead where the token's file is not there.
    pub(super) otherwise: Option<Box<Endpoint>>,
}

/// How a client proves to be itself.
pub(super) enum Proof {
    /// Not at all: a program that a user runs.
    Nothing,
    /// By a secret.
    Secret(SecretString),
    /// By the key of a certificate, in a file; with its chain or without.
    Certificate { path: String, chain: bool },
    /// By a token of somebody else's, in a file.
    File(String),
    /// By a token of Azure Pipelines'.
    Pipelines(Connection),
}

/// What a client asks with.
pub(super) enum Grant {
    /// Itself.
    Client,
    /// A user's name and password.
    Password { user: String, password: SecretString },
    /// A user's token for the client, in a file.
    OnBehalfOf(String),
    /// A code that a user enters elsewhere.
    Device,
}

impl Client {
    pub(super) fn plan(&self, plan: &mut Plan) {
        let mut server = server(&self.authority, Purpose::TokenAuthority);
        if let Some((issuers, name)) = &self.trust {
            server.trust = Trust::Private { issuers: issuers.clone(), name: name.clone() };
        }
        plan.servers.push(server);
        if let Some(otherwise) = &self.otherwise {
            otherwise.plan(plan);
        }
        match &self.proof {
            Proof::Nothing | Proof::Secret(_) => {}
            Proof::Certificate { path, .. } => plan.keys.push(Key {
                name: proof::KEY,
                path: path.clone(),
                password_variable: Some("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
            }),
            Proof::File(path) => plan.files.push(File::Path(path.clone())),
            Proof::Pipelines(connection) => connection.plan(plan),
        }
        match &self.grant {
            Grant::Client | Grant::Password { .. } => {}
            Grant::OnBehalfOf(path) => plan.files.push(File::Path(path.clone())),
            Grant::Device => plan.tells = true,
        }
    }

    /// What is asked instead of it, if its token's file is not there and there is such a thing.
    pub(super) fn otherwise_if_missing<C: Context>(
        mut self: Box<Self>,
        call: &Call<'_, C>,
    ) -> Result<Box<Endpoint>, Box<Self>> {
        let missing = match &self.proof {
            Proof::File(path) => {
                let read = call.context.read_file(path, limits::ASSERTION_FILE);
                matches!(read, Err(FileError::Missing))
            }
            _ => false,
        };
        match self.otherwise.take().filter(|_| missing) {
            Some(endpoint) => Ok(endpoint),
            None => Err(self),
        }
    }

    /// Its own id; a workload may be several identities, and name another by its client id.
    fn id<C: Context>(&self, call: &Call<'_, C>, request: &TokenRequest) -> Result<String, Error> {
        match Chosen::given(call, request) {
            None => Ok(self.id.clone()),
            Some(Chosen { id: UserAssigned::Client(id), .. })
                if matches!((&self.proof, &self.grant), (Proof::File(_), Grant::Client)) =>
            {
                Ok(id)
            }
            Some(chosen) => Err(chosen.refused()),
        }
    }

    /// What is being done, for errors.
    fn doing(&self) -> String {
        format!("asking {} for a token", self.authority.short_authority())
    }

    fn endpoint(&self, tenant: &str, name: &str) -> Url {
        // AD FS has no second version.
        let version = if tenant.eq_ignore_ascii_case(ADFS) { "" } else { "/v2.0" };
        self.authority.below(&format!("{tenant}/oauth2{version}/{name}"))
    }
}

/// The tenant of AD FS.
const ADFS: &str = "adfs";

/// Gets a token from the authority.
pub(super) fn token<C: Context>(
    call: &Call<'_, C>,
    label: Label,
    client: &Client,
    request: &TokenRequest,
) -> Result<Token, Denial> {
    let id = client.id(call, request)?;
    let tenant = tenant::of(&call.settings.tenants, client, request.tenant.as_deref())?;
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
            let token = proof::token_in(call, path)?.ok_or_else(|| {
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
            let response = settled(call, client, &form, response)?;
            return finish(call, label, client, id, request, &response).map_err(Denial::Failed);
        }
    };
    form = form
        .text("scope", &scope)
        .text("claims", &claims::with_capabilities(request.claims.as_deref()));
    form = proof::add(call, client, &url, form)?;
    let form = form.finish();
    let response = settled(call, client, &form, post(call, client, &url, &form)?)?;
    finish(call, label, client, id, request, &response).map_err(Denial::Failed)
}

/// Sends a form, again where that may help.
fn post<C: Context>(
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
    .map_err(|stopped| unanswered(&client.doing(), url, stopped))
}

/// The answer to a form, if it is a success.
fn settled<C: Context>(
    call: &Call<'_, C>,
    client: &Client,
    form: &SecretString,
    response: Response,
) -> Result<Response, Error> {
    if response.status == 200 {
        return Ok(response);
    }
    Err(refusal::refusal(client, form, &response, call.context.now()))
}

fn finish<C: Context>(
    call: &Call<'_, C>,
    label: Label,
    client: &Client,
    id: String,
    request: &TokenRequest,
    response: &Response,
) -> Result<Token, Error> {
    let parsed = answer::parse(&response.body, call.context.now()).map_err(|why| {
        Error::new(Id::AuthorityUnexpected, format!("{}: {why}", client.doing()))
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
