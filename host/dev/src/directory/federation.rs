//! The local OIDC issuer that the applications trust: it stands for Kubernetes in workload
//! identity, and for Azure DevOps in a service connection.
//!
//! <https://learn.microsoft.com/entra/workload-id/workload-identity-federation>

use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::signer::Signer;
use crate::{clock, error::StartError};

/// The audience that Entra requires of a federated token.
pub(crate) const AUDIENCE: &str = "api://AzureADTokenExchange";
/// Every subject that the applications trust.
pub(crate) const SUBJECTS: [Subject; 2] = [Subject::Workload, Subject::Pipeline];

/// A workload that the applications trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A Kubernetes service account.
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

/// The OIDC issuer: it signs a token for any caller in this process.
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
    /// An issuer with a new key, whose documents are served below `origin`.
    pub(crate) fn new(origin: &str) -> Result<Self, StartError> {
        Ok(Self { signer: Signer::new()?, issuer: format!("{origin}/oidc") })
    }

    /// A token that is valid for so many seconds; `None` only if the random source fails.
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

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The OpenID discovery document of this issuer.
    pub(crate) fn configuration(&self) -> Value {
        let issuer = &self.issuer;
        json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/keys"),
            "subject_types_supported": ["public"],
            "response_types_supported": ["id_token"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported": ["sub", "aud", "exp", "iat", "iss", "jti", "nbf"],
        })
    }

    /// The JWK set of this issuer.
    pub(crate) fn keys(&self) -> Value {
        self.signer.keys(&self.issuer)
    }
}
