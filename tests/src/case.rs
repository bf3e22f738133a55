//! A conformance case: one TOML file that says what the environment is, what is called, what must be
//! sent, what comes back, and what becomes of it. Nothing in it knows who runs it.

mod check;
mod exchange;
mod render;
mod suite;

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Table;

pub use check::{Outcome, said};
pub use exchange::{Exchange, Fail, Kind};
pub use render::Rendering;
pub use suite::{Suite, suites};

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    text: Table,
    /// What is in it.
    pub is: Content,
    /// What is called, in order, in one process.
    pub calls: Vec<Call>,
}

/// What a case says besides its calls.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Content {
    /// What rule it shows, in one sentence.
    pub purpose: String,
    /// All variables there are.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The files there are, by their paths.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Servers whose certificate is issued by a CA of their own, and the name in it: `<ca>` is that
    /// CA, `<pin>` the certificate's SHA-1.
    #[serde(default)]
    pub private: BTreeMap<String, String>,
    /// What standard input holds.
    pub stdin: Option<String>,
    /// Whether there is nobody who could be told something.
    #[serde(default)]
    pub alone: bool,
    /// How often the first call is made; each must end as expected.
    #[serde(default = "once")]
    pub times: usize,
    /// What must not show, besides what is seen to be secret in the exchanges.
    #[serde(default)]
    pub hidden: Vec<String>,
    /// What a person is told, in lines.
    #[serde(default)]
    pub told: Vec<String>,
    /// What is sent, in order, nothing more and nothing less.
    #[serde(default, rename = "exchange")]
    pub exchanges: Vec<Exchange>,
    /// What is called afterwards.
    #[serde(default)]
    next: Vec<Call>,
}

/// One call: of a secret, of a list, or of a token.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Call {
    /// The reference of a secret to get.
    pub get: Option<String>,
    /// The vault whose secrets to list.
    pub list: Option<String>,
    /// The reference of a secret whose versions to list.
    pub versions: Option<String>,
    /// The resource to get a token for.
    pub token: Option<String>,
    /// The tenant that the token shall be of.
    pub tenant: Option<String>,
    /// Claims that it shall have.
    pub claims: Option<String>,
    /// Which user-assigned identity's.
    pub client_id: Option<String>,
    /// The same by object id.
    pub object_id: Option<String>,
    /// The same by resource id.
    pub resource_id: Option<String>,
    /// Files that are written before it.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// What comes of it.
    pub expect: Expect,
}

/// What comes of a call: a value, a list, a token or an error.
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
    /// Which source gave it.
    pub source: Option<String>,
    /// Which form of the source.
    pub endpoint: Option<String>,
    /// The client id that was asked for.
    pub client_id: Option<String>,
    /// Its life, seconds.
    pub expires_in: Option<i64>,
    /// The error.
    pub error: Option<Failure>,
}

/// An expected error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Failure {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// What its line must contain.
    #[serde(default)]
    pub says: Vec<String>,
    /// What its line must not contain.
    #[serde(default)]
    pub says_not: Vec<String>,
    /// The status of the answer behind it.
    pub status: Option<u16>,
    /// The service's code.
    pub code: Option<String>,
    /// How long the service asked to be left alone.
    pub retry_after_ms: Option<u64>,
    /// The sources that were asked: `managed-identity (azure-ml): failed`.
    pub attempts: Option<Vec<String>>,
}

/// The keys of a case's file that are the first call's.
const CALL: [&str; 10] = [
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
    /// From the text of a file.
    pub fn parse(text: &str) -> Result<Self, String> {
        // An error of the text has a line, one of the table has not.
        Self::from(text.parse().map_err(|error: toml::de::Error| error.to_string())?)
    }

    /// With what stands in its texts put in place.
    pub fn rendered(&self, with: &Rendering) -> Result<Self, String> {
        Self::from(with.table(&self.text))
    }

    fn from(text: Table) -> Result<Self, String> {
        let (call, rest): (Table, Table) =
            text.clone().into_iter().partition(|(key, _)| CALL.contains(&key.as_str()));
        let wrong = |error: toml::de::Error| error.to_string();
        let first: Call = call.try_into().map_err(wrong)?;
        let is: Content = rest.try_into().map_err(wrong)?;
        let mut calls = vec![first; is.times];
        calls.extend(is.next.iter().cloned());
        if is.purpose.trim().is_empty() {
            return Err("it has no purpose".into());
        }
        if calls.is_empty() {
            return Err("it calls nothing".into());
        }
        calls.iter().try_for_each(Call::is_whole)?;
        is.exchanges.iter().try_for_each(Exchange::is_whole)?;
        Ok(Self { text, is, calls })
    }
}

impl Call {
    fn is_whole(&self) -> Result<(), String> {
        let expect = &self.expect;
        let called = [&self.get, &self.list, &self.versions, &self.token];
        if called.into_iter().filter(|call| call.is_some()).count() != 1 {
            return Err("it calls nothing, or several things".into());
        }
        if self.token.is_none() && (self.tenant.is_some() || self.claims.is_some()) {
            return Err("it asks a vault, to which tenant and claims say nothing".into());
        }
        if [&self.client_id, &self.object_id, &self.resource_id]
            .iter()
            .filter(|i| i.is_some())
            .count()
            > 1
        {
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

fn once() -> usize {
    1
}
