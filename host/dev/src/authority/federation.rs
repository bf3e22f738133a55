//! A local issuer of OIDC tokens, whom the applications trust: what Kubernetes is to workload
//! identity, and Azure DevOps to a service connection.
//!
//! <https://learn.microsoft.com/entra/workload-id/workload-identity-federation>

use http::StatusCode;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    clock,
    error::StartError,
    identity::signer::Signer,
    message::{self, Answer},
};

/// The audience that Entra wants.
pub(crate) const AUDIENCE: &str = "api://AzureADTokenExchange";
/// Subjects of the federated credentials.
pub(crate) const SUBJECTS: [Subject; 2] = [Subject::Workload, Subject::Pipeline];

/// Whom the applications trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A service account of Kubernetes.
    Workload,
    /// A service connection of Azure Pipelines.
    Pipeline,
}

impl Subject {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Workload => "system:serviceaccount:default:job",
            Self::Pipeline => "sc://local/project/job",
        }
    }
}

/// Signs tokens for whoever runs on this machine.
pub(crate) struct Federation {
    signer: Signer,
    issuer: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: u64,
    nbf: u64,
    exp: u64,
    jti: String,
}

impl Federation {
    /// `origin` is where its documents are served.
    pub(crate) fn new(origin: &str) -> Result<Self, StartError> {
        Ok(Self { signer: Signer::new()?, issuer: format!("{origin}/oidc") })
    }

    /// A token that lives so many seconds; `None` only if the random source fails.
    pub(crate) fn token(
        &self,
        subject: &str,
        audience: &str,
        seconds: u64,
    ) -> Option<SecretString> {
        let now = clock::now();
        self.signer.sign(&Claims {
            iss: &self.issuer,
            sub: subject,
            aud: audience,
            iat: now,
            nbf: now,
            exp: now.saturating_add(seconds),
            jti: Uuid::new_v4().to_string(),
        })
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn signer(&self) -> &Signer {
        &self.signer
    }

    pub(super) fn configuration(&self) -> Answer {
        let issuer = &self.issuer;
        let body = json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/keys"),
            "subject_types_supported": ["public"],
            "response_types_supported": ["id_token"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported": ["sub", "aud", "exp", "iat", "iss", "jti", "nbf"],
        });
        message::json(StatusCode::OK, &body, 0)
    }

    pub(super) fn keys(&self) -> Answer {
        message::json(StatusCode::OK, &self.signer.keys(&self.issuer), 0)
    }
}
