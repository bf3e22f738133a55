//! Pure functions that say what a call needs, so that a host can grant exactly that.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use crate::{
    error::Error,
    plan::{Plan, Purpose, Server, server},
    settings::{self, Label, Lookup, Setting, Settings},
    source,
    vault::{self, Reference},
};

/// A secret or a vault to resolve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A secret, by its reference.
    Secret(String),
    /// A vault, in any form in which it may be listed.
    Vault(String),
}

/// A resolved secret or vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The reference in canonical form.
    pub reference: String,
    /// The vault's server.
    pub server: Server,
    /// The secret's name; none for a vault.
    pub name: Option<String>,
    /// The secret's version, if the reference has one.
    pub version: Option<String>,
}

/// Resolves a secret or a vault to its canonical reference and its server.
pub fn resolve(what: &Subject, settings: &[(String, String)]) -> Result<Resolved, Error> {
    let settings = Settings::read(&|name| find(settings, name))?;
    let (vault, reference, name, version) = match what {
        Subject::Secret(reference) => {
            let parsed = Reference::parse(reference, &settings)?;
            let reference = parsed.canonical();
            (parsed.vault, reference, Some(parsed.name), parsed.version)
        }
        Subject::Vault(vault) => {
            let vault = vault::reference::vault(vault, &settings)?;
            let reference = vault::reference::canonical(&vault);
            (vault, reference, None, None)
        }
    };
    Ok(Resolved { reference, server: server(&vault, Purpose::Vault), name, version })
}

/// The vault of a secret's reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The vault's server.
    pub server: Server,
    /// What every reference to this vault in this form begins with; see [`vault::reference::prefix`].
    pub prefix: Option<String>,
}

/// Finds the vault of a secret's reference, with the errors of [`resolve`].
pub fn route(reference: &str, settings: &[(String, String)]) -> Result<Route, Error> {
    let settings = Settings::read(&|name| find(settings, name))?;
    let vault = Reference::parse(reference, &settings)?.vault;
    let prefix = vault::reference::prefix(reference).map(ToOwned::to_owned);
    Ok(Route { server: server(&vault, Purpose::Vault), prefix })
}

/// Plans the credentials of the chain. Without `values` the plan has only the variables to read; with the
/// values of those variables it has the servers, files, keys and programs too.
pub fn plan_credentials(
    settings: &[(String, String)],
    values: &[(String, String)],
) -> Result<Plan, Error> {
    let lookup = |name: &str| find(settings, name).or_else(|| find(values, name));
    let lookup: Lookup<'_> = &lookup;
    let settings = Settings::read(lookup)?;
    let of_chain = if settings.chain.auto { source::SERVICE } else { &[] };
    let of_sources = settings.chain.labels.iter().flat_map(|label| label.variables());
    let mut variables: Vec<String> = Vec::new();
    for name in AZURES.iter().chain(of_chain).chain(of_sources) {
        if !variables.iter().any(|known| known == name) {
            variables.push((*name).to_owned());
        }
    }
    let mut plan = Plan { variables, secrets: &SECRETS, ..Plan::default() };
    if !values.is_empty() {
        source::plan(lookup, &settings, &mut plan);
    }
    Ok(plan)
}

/// The source at which the chain ends because its variables are wrong, by its name, and what is wrong. For hosts that
/// explain a plan.
pub fn unusable(
    settings: &[(String, String)],
    values: &[(String, String)],
) -> Option<(&'static str, Error)> {
    let lookup = |name: &str| find(settings, name).or_else(|| find(values, name));
    let settings = Settings::read(&lookup).ok()?;
    source::unusable(&lookup, &settings).map(|(label, error)| (label.name(), error))
}

/// The variables of all sources, and of Azure's SDKs, that hold a secret, name the file of one, or name the
/// endpoint that one of them is for.
const SECRETS: [&str; 21] = [
    "AZUREML_OBO_CANARY_TOKEN",
    "AZUREML_OBO_SERVICE_ENDPOINT",
    "AZUREML_OBO_USER_TOKEN_FOR_SPARK_RETRIEVAL_API",
    "AZUREML_SYNAPSE_TOKEN_SERVICE_ENDPOINT",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_KUBERNETES_TOKEN_PROXY",
    "AZURE_PASSWORD",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "OBO_ENDPOINT",
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_OIDCREQUESTURI",
    "VAULTLET_USER_ASSERTION_FILE",
];

/// Azure's variables that settings are read from.
const AZURES: [&str; 4] = [
    "AZURE_TOKEN_CREDENTIALS",
    "AZURE_AUTHORITY_HOST",
    "AZURE_ADDITIONALLY_ALLOWED_TENANTS",
    "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH",
];

/// Every variable that can lead a program to an identity: whoever gives a child process another
/// identity takes these from it.
pub fn identity_variables() -> Vec<&'static str> {
    /// Settings that choose among identities.
    const CHOICES: [&Setting; 6] = [
        &settings::IDENTITY,
        &settings::EXCLUDE,
        &settings::CLIENT_ID,
        &settings::OBJECT_ID,
        &settings::RESOURCE_ID,
        &settings::USER_ASSERTION_FILE,
    ];
    /// Variables that Azure's SDKs read and the component does not.
    const SDKS: [&str; 4] = [
        "AZUREML_RUN_TOKEN_EXPIRY",
        "AZUREML_OBO_ENABLED",
        "AZURE_CLIENT_CERTIFICATE_PASSWORD",
        "AZURE_REGIONAL_AUTHORITY_NAME",
    ];
    let of_sources = Label::ALL.iter().flat_map(|label| label.variables()).copied();
    let of_choices = CHOICES.iter().map(|setting| setting.variable);
    let mut all: Vec<_> =
        AZURES.into_iter().chain(SDKS).chain(of_choices).chain(of_sources).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn find(variables: &[(String, String)], name: &str) -> Option<String> {
    let value = variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    value.filter(|value| !value.is_empty())
}
