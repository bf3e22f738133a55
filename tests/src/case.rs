//! A conformance case in TOML: the environment, the calls, the requests that must be sent, the
//! responses to them, and the result of each call. A case does not depend on what runs it.

mod check;
mod exchange;
mod render;
mod suite;
mod vary;

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Table;

pub use check::{Actual, said};
pub use exchange::{Exchange, Fail, Kind};
pub use render::Rendering;
pub use suite::{Suite, suites};
pub use vary::{Variation, variations};

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    table: Table,
    /// Everything but the steps.
    pub content: Content,
    /// The calls, in order, in one process.
    pub steps: Vec<Step>,
}

/// Everything in a case but its steps.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Content {
    /// The rule that the case shows, in one sentence.
    pub purpose: String,
    /// The environment variables; there are no others.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The files, by path; there are no others.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Servers with a certificate from a private CA, and the name in the certificate: `<ca>` is that
    /// CA, `<pin>` the certificate's SHA-1.
    #[serde(default)]
    pub private: BTreeMap<String, String>,
    /// The text of standard input.
    pub stdin: Option<String>,
    /// Whether no person is there to read a prompt.
    #[serde(default)]
    pub alone: bool,
    /// How often the first call is made, each time with the same result.
    #[serde(default = "once")]
    pub times: usize,
    /// Texts that must never be shown, besides the secrets that the harness finds in the exchanges.
    #[serde(default)]
    pub hidden: Vec<String>,
    /// The lines that a person sees.
    #[serde(default)]
    pub told: Vec<String>,
    /// The requests, in order; any other request is a failure, and so is one that is not sent.
    #[serde(default, rename = "exchange")]
    pub exchanges: Vec<Exchange>,
    /// The calls after the first.
    #[serde(default)]
    next: Vec<Step>,
}

/// One call, for a secret, a list or a token, and its expected result.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    /// The reference of a secret to get.
    pub get: Option<String>,
    /// The vault whose secrets to list.
    pub list: Option<String>,
    /// The reference of a secret whose versions to list.
    pub versions: Option<String>,
    /// The resource to get a token for.
    pub token: Option<String>,
    /// The tenant of the token.
    pub tenant: Option<String>,
    /// The claims that the token must have.
    pub claims: Option<String>,
    /// The user-assigned managed identity, by client id.
    pub client_id: Option<String>,
    /// The user-assigned managed identity, by object id.
    pub object_id: Option<String>,
    /// The user-assigned managed identity, by resource id.
    pub resource_id: Option<String>,
    /// Files that are written before the call.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The expected result.
    pub expect: Expect,
}

/// The expected result of a call: a value, a list, a token or an error.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The secret's value.
    pub value: Option<String>,
    /// The secret's version.
    pub version: Option<String>,
    /// The secret's content type.
    pub content_type: Option<String>,
    /// The names of a vault's secrets, or the versions of one.
    pub items: Option<Vec<String>>,
    /// The token.
    pub token: Option<String>,
    /// The source that the token comes from.
    pub source: Option<String>,
    /// The source's endpoint, where it has several (`imds`, `app-service`).
    pub endpoint: Option<String>,
    /// The requested client id.
    pub client_id: Option<String>,
    /// The token's lifetime in seconds.
    pub expires_in: Option<i64>,
    /// The error.
    pub error: Option<Failure>,
}

/// An expected error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Failure {
    /// The error's kind.
    pub kind: String,
    /// The error's id.
    pub id: String,
    /// Texts that the error's line must contain.
    #[serde(default)]
    pub says: Vec<String>,
    /// Texts that the error's line must not contain.
    #[serde(default)]
    pub says_not: Vec<String>,
    /// The HTTP status of the response behind the error.
    pub status: Option<u16>,
    /// The service's error code.
    pub code: Option<String>,
    /// The wait that the service requested, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// The attempts, in order: `managed-identity (azure-ml): failed`.
    pub attempts: Option<Vec<String>>,
}

/// The keys of a case that belong to the first step.
const STEP: [&str; 10] = [
    "get",
    "list",
    "versions",
    "token",
    "tenant",
    "claims",
    "client-id",
    "object-id",
    "resource-id",
    "expect",
];

impl Case {
    /// Parses a case that has no variations.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::new(table(text)?)
    }

    /// Fills in the words and times that only a run knows.
    pub fn rendered(&self, rendering: &Rendering) -> Result<Self, String> {
        Self::new(rendering.table(&self.table))
    }

    fn new(table: Table) -> Result<Self, String> {
        let (step, rest): (Table, Table) =
            table.clone().into_iter().partition(|(key, _)| STEP.contains(&key.as_str()));
        let wrong = |error: toml::de::Error| error.to_string();
        let first: Step = step.try_into().map_err(wrong)?;
        let content: Content = rest.try_into().map_err(wrong)?;
        let mut steps = vec![first; content.times];
        steps.extend(content.next.iter().cloned());
        if content.purpose.trim().is_empty() {
            return Err("it has no purpose".into());
        }
        if steps.is_empty() {
            return Err("it calls nothing".into());
        }
        steps.iter().try_for_each(Step::validate)?;
        content.exchanges.iter().try_for_each(Exchange::validate)?;
        Ok(Self { table, content, steps })
    }
}

impl Step {
    fn validate(&self) -> Result<(), String> {
        let expect = &self.expect;
        let calls = [&self.get, &self.list, &self.versions, &self.token];
        if calls.into_iter().filter(|call| call.is_some()).count() != 1 {
            return Err("it calls nothing, or several things".into());
        }
        if self.token.is_none() && (self.tenant.is_some() || self.claims.is_some()) {
            return Err("only a call for a token has a tenant or claims".into());
        }
        let identities = [&self.client_id, &self.object_id, &self.resource_id];
        if identities.into_iter().filter(|id| id.is_some()).count() > 1 {
            return Err("it names two identities".into());
        }
        let results = [
            expect.value.is_some(),
            expect.items.is_some(),
            expect.token.is_some(),
            expect.error.is_some(),
        ];
        if results.into_iter().filter(|is| *is).count() != 1 {
            return Err("it expects nothing, or several things".into());
        }
        Ok(())
    }
}

/// The table in the text of a file.
fn table(text: &str) -> Result<Table, String> {
    text.parse().map_err(|error: toml::de::Error| error.to_string())
}

fn once() -> usize {
    1
}
