//! A client of the token authority, as the source that found it describes it.

use alloc::{boxed::Box, format, string::String};

use crate::{
    call::Call,
    context::{Context, FileError},
    error::Error,
    limits,
    plan::{Certificates, File, Key, Plan, Purpose, Trust, server},
    source::local::{ChosenIdentity, Endpoint},
    token::{TokenRequest, UserAssigned},
    words::{secret::SecretString, url::Url},
};

/// The name by which the host knows a client's private key.
const CERTIFICATE_KEY: &str = "client-certificate";

/// An application that is registered with the authority, and the grant by which it gets tokens.
pub(in crate::source) struct Client {
    /// The form of the source, if the source has several.
    pub(in crate::source) form: Option<&'static str>,
    /// The client id.
    pub(in crate::source) id: String,
    /// The environment variable that holds the client id.
    pub(in crate::source) id_variable: &'static str,
    /// The tenant.
    pub(in crate::source) tenant: String,
    /// The environment variable that holds the tenant.
    pub(in crate::source) tenant_variable: &'static str,
    /// How the application authenticates.
    pub(in crate::source) proof: Proof,
    /// The grant of the token request.
    pub(in crate::source) grant: Grant,
    /// The authority's URL, without a tenant.
    pub(in crate::source) authority: Url,
    /// Certificates to trust instead of the host's roots, and the name in the certificate: for a proxy of
    /// the authority.
    pub(in crate::source) trust: Option<(Certificates, Option<String>)>,
    /// The endpoint to use instead if the file with the federated token does not exist.
    pub(in crate::source) fallback: Option<Box<Endpoint>>,
}

/// How a client authenticates.
pub(in crate::source) enum Proof {
    /// No authentication: a public client, which a user runs.
    Nothing,
    /// A client secret.
    Secret(SecretString),
    /// An assertion that is signed with the key of a certificate; `chain` adds the issuers' certificates.
    Certificate { path: String, chain: bool },
    /// A federated token of another issuer, in a file.
    File(String),
    /// A federated token of Azure Pipelines.
    Pipelines(ServiceConnection),
}

/// A service connection of Azure Pipelines.
pub(in crate::source) struct ServiceConnection {
    /// The URL that issues the pipeline's federated token.
    pub(in crate::source) url: Url,
    /// The job's access token, which authorizes that request.
    pub(in crate::source) token: SecretString,
}

impl ServiceConnection {
    fn plan(&self, plan: &mut Plan) {
        plan.servers.push(server(&self.url, Purpose::TokenAuthority));
    }
}

/// The grant of a token request.
pub(in crate::source) enum Grant {
    /// The client's own credentials.
    Client,
    /// A user's name and password.
    Password { user: String, password: SecretString },
    /// The token of a user on whose behalf the client acts, in a file.
    OnBehalfOf(String),
    /// A device code, which a user enters in a browser.
    Device,
}

impl Client {
    /// Adds the servers, files and keys that the client needs to a plan.
    pub(in crate::source) fn plan(&self, plan: &mut Plan) {
        let mut server = server(&self.authority, Purpose::TokenAuthority);
        if let Some((issuers, name)) = &self.trust {
            server.trust = Trust::Private { issuers: issuers.clone(), name: name.clone() };
        }
        plan.servers.push(server);
        if let Some(fallback) = &self.fallback {
            fallback.plan(plan);
        }
        match &self.proof {
            Proof::Nothing | Proof::Secret(_) => {}
            Proof::Certificate { path, .. } => plan.keys.push(Key {
                name: CERTIFICATE_KEY,
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

    /// The fallback if the file with the federated token does not exist; else the client itself.
    pub(in crate::source) fn fallback_if_file_missing<C: Context>(
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
        match self.fallback.take().filter(|_| missing) {
            Some(endpoint) => Ok(endpoint),
            None => Err(self),
        }
    }

    /// The client id to send. A workload may have several identities, and the call or the settings may
    /// select another one by its client id.
    pub(super) fn id<C: Context>(
        &self,
        call: &Call<'_, C>,
        request: &TokenRequest,
    ) -> Result<String, Error> {
        match ChosenIdentity::find_explicit(call, request) {
            None => Ok(self.id.clone()),
            Some(ChosenIdentity { id: UserAssigned::Client(id), .. })
                if matches!((&self.proof, &self.grant), (Proof::File(_), Grant::Client)) =>
            {
                Ok(id)
            }
            Some(chosen) => Err(chosen.unsupported_error()),
        }
    }

    /// The variable whose secret or password begins or ends with white space, which is rarely meant.
    pub(super) fn spaced_variable(&self) -> Option<&'static str> {
        let is_spaced = |secret: &SecretString| secret.reveal().trim() != secret.reveal();
        match (&self.proof, &self.grant) {
            (Proof::Secret(secret), _) if is_spaced(secret) => Some("AZURE_CLIENT_SECRET"),
            (_, Grant::Password { password, .. }) if is_spaced(password) => Some("AZURE_PASSWORD"),
            _ => None,
        }
    }

    /// The beginning of error messages.
    pub(super) fn doing(&self) -> String {
        format!("asking {} for a token", self.authority.short_host_and_port())
    }

    /// The URL of one of the authority's endpoints.
    pub(super) fn endpoint(&self, tenant: &str, name: &str) -> Url {
        // AD FS has no second version.
        let version = if tenant.eq_ignore_ascii_case(ADFS) { "" } else { "/v2.0" };
        self.authority.below(&format!("{tenant}/oauth2{version}/{name}"))
    }
}

/// The pseudo-tenant of AD FS.
pub(super) const ADFS: &str = "adfs";
