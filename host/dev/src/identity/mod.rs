//! The identity endpoints of a training job: who may ask, how, and what is answered.

mod appservice;
mod azureml;
mod imds;
mod obo;
pub(crate) mod token;

use std::str::FromStr;

use http::{Method, StatusCode, request::Parts};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::message::{self, Answer, Query};
use token::{Issuer, Token};

/// The two identities of a training job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// The compute's managed identity.
    Managed,
    /// The user who submitted the job.
    User,
}

/// Which identity endpoint the job's environment names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `MSI_ENDPOINT` and `MSI_SECRET`, as on Azure ML.
    #[default]
    AzureMl,
    /// `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`.
    AppService,
    /// `AZURE_POD_IDENTITY_AUTHORITY_HOST` in place of 169.254.169.254.
    Imds,
}

/// A word that names none of the values of a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not one of {allowed}")]
pub struct UnknownWord {
    word: String,
    allowed: &'static str,
}

impl UnknownWord {
    pub(crate) fn new(word: &str, allowed: &'static str) -> Self {
        Self { word: word.to_owned(), allowed }
    }
}

impl FromStr for Who {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "managed" => Ok(Self::Managed),
            "user" => Ok(Self::User),
            _ => Err(UnknownWord::new(word, "managed, user")),
        }
    }
}

impl FromStr for Form {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "azure-ml" => Ok(Self::AzureMl),
            "app-service" => Ok(Self::AppService),
            "imds" => Ok(Self::Imds),
            _ => Err(UnknownWord::new(word, "azure-ml, app-service, imds")),
        }
    }
}

/// Entra tenant of both identities.
pub(crate) const TENANT: &str = "7e57de57-0000-4000-8000-00000000da7a";
/// The subscription that the vaults and the managed identity are in.
pub(crate) const SUBSCRIPTION: &str = "5b5c719f-0000-4000-8000-00000000dead";

/// One identity, as its tokens describe it.
pub(crate) struct Principal {
    pub(crate) who: Who,
    /// Client id, for the user that of the program that acts for them.
    pub(crate) app_id: &'static str,
    pub(crate) object_id: &'static str,
}

/// The compute's managed identity.
pub(crate) const MANAGED: Principal = Principal {
    who: Who::Managed,
    app_id: "c0ffee00-0000-4000-8000-0000000000a1",
    object_id: "c0ffee00-0000-4000-8000-0000000000b2",
};

/// The signed-in user.
pub(crate) const USER: Principal = Principal {
    who: Who::User,
    app_id: "5e7ca5e0-0000-4000-8000-0000000000c3",
    object_id: "5e7ca5e0-0000-4000-8000-0000000000d4",
};

/// Name of the user, at a domain that nobody can own.
pub(crate) const USER_NAME: &str = "user@vaultlet.example";

/// Azure resource id of the managed identity.
pub(crate) fn resource_id() -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourcegroups/local/providers/\
         Microsoft.ManagedIdentity/userAssignedIdentities/compute"
    )
}

/// All endpoints: they share a port, a secret and the issuer of tokens.
pub(crate) struct Endpoints {
    pub(crate) issuer: Issuer,
    secret: SecretString,
}

/// An answer, and what of it is counted.
pub(crate) struct Outcome {
    pub(crate) answer: Answer,
    /// Name of the endpoint in counters and log.
    pub(crate) operation: &'static str,
    /// Whose token was given out.
    pub(crate) who: Option<Who>,
}

impl Endpoints {
    pub(crate) fn new(issuer: Issuer) -> Self {
        Self { issuer, secret: SecretString::from(Uuid::new_v4().simple().to_string()) }
    }

    /// Answers one request to the identity port.
    pub(crate) fn answer(&self, request: &Parts) -> Outcome {
        let asked = Asked { request, query: Query::parse(request.uri.query()) };
        let (operation, answer) = match request.uri.path().trim_end_matches('/') {
            azureml::PATH => ("azure-ml", azureml::answer(self, &asked)),
            obo::PATH => ("azure-ml-obo", obo::answer(self, &asked)),
            appservice::PATH => ("app-service", appservice::answer(self, &asked)),
            imds::PATH => ("imds", imds::answer(self, &asked)),
            _ => ("other", Given::refused(message::empty(StatusCode::NOT_FOUND))),
        };
        Outcome { answer: answer.answer, operation, who: answer.who }
    }

    /// The variables by which a job finds this form of the endpoint.
    pub(crate) fn environment(&self, form: Form, origin: &str) -> Vec<(String, String)> {
        let secret = self.secret.expose_secret();
        let variables = match form {
            Form::AzureMl => vec![
                ("MSI_ENDPOINT", format!("{origin}{}", azureml::PATH)),
                ("MSI_SECRET", secret.to_owned()),
                ("DEFAULT_IDENTITY_CLIENT_ID", MANAGED.app_id.to_owned()),
            ],
            Form::AppService => vec![
                ("IDENTITY_ENDPOINT", format!("{origin}{}", appservice::PATH)),
                ("IDENTITY_HEADER", secret.to_owned()),
            ],
            Form::Imds => vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", origin.to_owned())],
        };
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The variable by which a job finds the endpoint that acts for its user.
    pub(crate) fn obo(origin: &str) -> (String, String) {
        ("OBO_ENDPOINT".to_owned(), format!("{origin}{}", obo::PATH))
    }

    fn knows_secret(&self, asked: &Asked<'_>, header: &str) -> bool {
        message::header(&asked.request.headers, header).is_some_and(|given| {
            bool::from(given.as_bytes().ct_eq(self.secret.expose_secret().as_bytes()))
        })
    }

    fn token(&self, principal: &Principal, resource: &str) -> Option<Token> {
        self.issuer.issue(principal, resource)
    }
}

/// What came in.
struct Asked<'a> {
    request: &'a Parts,
    query: Query,
}

impl Asked<'_> {
    fn is_get(&self) -> bool {
        self.request.method == Method::GET
    }

    /// Whether one of these parameters names an identity other than the managed one.
    fn names_other(&self, names: &[(&str, &str)]) -> bool {
        names.iter().any(|(name, ours)| {
            self.query.filled(name).is_some_and(|asked| !asked.eq_ignore_ascii_case(ours))
        })
    }
}

/// An answer of one form.
struct Given {
    answer: Answer,
    who: Option<Who>,
}

impl Given {
    fn token(answer: Answer, who: Who) -> Self {
        Self { answer, who: Some(who) }
    }

    fn refused(answer: Answer) -> Self {
        Self { answer, who: None }
    }
}
