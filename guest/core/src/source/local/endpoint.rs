//! A local identity endpoint, as the source that found it describes it.

use alloc::{borrow::ToOwned, boxed::Box, format, string::String};

use super::job::Job;
use crate::{
    error::Error,
    limits::{self, Retries},
    plan::{File, Plan, Purpose, Trust, server},
    settings::{Lookup, allows_http_identity, header, malformed},
    token::UserAssigned,
    words::{
        secret::SecretString,
        url::{Url, is_address},
    },
};

/// The ending of key files' names.
pub(super) const KEY_FILE_ENDING: &str = ".key";

/// A local identity endpoint: its address, and what a request to it looks like.
pub(in crate::source) struct Endpoint {
    /// The form of the source, which error messages name: `imds`.
    pub(in crate::source) form: &'static str,
    /// The URL of a token request, without parameters.
    pub(in crate::source) url: Url,
    /// The environment variable that holds the URL.
    pub(in crate::source) url_variable: &'static str,
    /// How a request carries its parameters.
    pub(in crate::source) protocol: Protocol,
    /// Parameters that every request has, before the resource.
    pub(in crate::source) parameters: &'static [(&'static str, &'static str)],
    /// The header with the secret that proves that the caller runs on this machine.
    pub(in crate::source) header: Option<(&'static str, SecretString)>,
    /// The environment variable that holds that secret; empty if there is none.
    pub(in crate::source) header_variable: &'static str,
    /// Whether requests have the header `metadata: true`.
    pub(in crate::source) metadata: bool,
    /// The parameter for a user-assigned identity; none for a kind of id that the endpoint does not take.
    pub(in crate::source) id_parameter: fn(&UserAssigned) -> Option<&'static str>,
    /// The SHA-1 of the certificate to trust, for an endpoint that is trusted by that alone.
    pub(in crate::source) pin: Option<String>,
    /// How failed requests are retried.
    pub(in crate::source) retries: &'static Retries,
    /// Whether the endpoint is assumed, not configured: if it cannot be reached, it does not exist here.
    pub(in crate::source) guessed: bool,
    /// Whether to send a quick probe before the token request.
    pub(in crate::source) probe: bool,
    /// Whether the tokens are those of a user, which no id can select.
    pub(in crate::source) is_user: bool,
    /// The agent whose endpoint is used instead, where it is installed.
    pub(in crate::source) agent: Option<Box<Agent>>,
    /// What is missing for another kind of endpoint, which may be the one that was meant.
    pub(in crate::source) hint: Option<String>,
}

/// A locally installed agent that has an identity endpoint of its own.
pub(in crate::source) struct Agent {
    /// The path of the agent's program, whose presence means that the agent is installed.
    pub(in crate::source) program: &'static str,
    /// The agent's identity endpoint.
    pub(in crate::source) endpoint: Endpoint,
}

/// How a request carries its parameters.
pub(in crate::source) enum Protocol {
    /// `GET` with a query.
    Query,
    /// `POST` with a form.
    Form,
    /// `GET` with a query, sent twice: the first response names a file in this folder, and the second
    /// request proves, by the file's content, that the caller may read it.
    KeyFile(String),
    /// `POST` with the JSON of a Spark job.
    Spark(Job),
}

impl Endpoint {
    /// Creates an endpoint from the URL in an environment variable. Plain `http` is accepted only for
    /// loopback, link-local and private addresses, and for host names that a setting allows.
    pub(in crate::source) fn from_variable(
        variables: Lookup<'_>,
        form: &'static str,
        variable: &'static str,
        url: &str,
    ) -> Result<Self, Error> {
        let url = Url::parse(url).map_err(|why| malformed(variable, why))?;
        if !url.secure && !url.is_near() && !allows_http_identity(variables, &url) {
            let error = malformed(
                variable,
                "an `https` URL, or `http` on a loopback, link-local or private address",
            );
            return Err(if is_address(&url.host) {
                error
            } else {
                error.with_help(format!(
                    "correct it, or allow the host by `--allow-http-identity {host}` \
                     (`VAULTLET_ALLOW_HTTP_IDENTITY`), if it is on a private network",
                    host = url.host
                ))
            });
        }
        Ok(Self {
            form,
            url,
            url_variable: variable,
            protocol: Protocol::Query,
            parameters: &[],
            header: None,
            header_variable: "",
            metadata: false,
            id_parameter: |_| None,
            pin: None,
            retries: &limits::IDENTITY,
            guessed: false,
            probe: false,
            is_user: false,
            agent: None,
            hint: None,
        })
    }

    /// Adds the header with the secret, which is in this variable.
    pub(in crate::source) fn with_header(
        self,
        name: &'static str,
        variable: &'static str,
        secret: String,
    ) -> Result<Self, Error> {
        let secret = SecretString::new(header(variable, secret)?);
        Ok(Self { header: Some((name, secret)), header_variable: variable, ..self })
    }

    /// Adds the endpoint's server and files to a plan.
    pub(in crate::source) fn plan(&self, plan: &mut Plan) {
        let purpose = match self.protocol {
            Protocol::Spark(_) => Purpose::TokenAuthority,
            _ => Purpose::IdentityEndpoint,
        };
        let mut server = server(&self.url, purpose);
        if let Some(pin) = &self.pin {
            server.trust = Trust::Pinned(pin.clone());
        }
        plan.servers.push(server);
        if let Protocol::KeyFile(folder) = &self.protocol {
            plan.files.push(File::Folder(folder.clone(), KEY_FILE_ENDING));
        }
        if let Some(agent) = &self.agent {
            plan.files.push(File::Path(agent.program.to_owned()));
            agent.endpoint.plan(plan);
        }
    }
}
