//! Scans everything that a case shows for the secrets in it.

use serde_json::Value;
use vaultlet_tests::case::{Case, Exchange};

use crate::keys::PASSWORD;

/// Variables that hold a secret.
const VARIABLES: [&str; 7] = [
    "MSI_SECRET",
    "IDENTITY_HEADER",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_PASSWORD",
    "SYSTEM_ACCESSTOKEN",
    "AZUREML_OBO_CANARY_TOKEN",
];
/// Members of a body and fields of a form that hold a secret.
const MEMBERS: [&str; 16] = [
    "access_token",
    "accessToken",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "device_code",
    "id_token",
    "oboToken",
    "oidcToken",
    "password",
    "refresh_token",
    "secret",
    "token",
    "Token",
    "value",
];
/// Headers that hold no secret.
const HEADERS: [&str; 5] = [
    "content-type",
    "metadata",
    "x-ms-cluster-identifier",
    "x-ms-proxy-host",
    "x-tfs-fedauthredirect",
];

/// Fails if a secret of the case is in the text.
pub(crate) fn scan(case: &Case, shown: &str) -> Result<(), String> {
    // A shorter text may occur anywhere by chance.
    match secrets(case).iter().find(|h| h.len() >= 3 && shown.contains(h.as_str())) {
        Some(found) => Err(format!("`{found}` shows: {shown}")),
        None => Ok(()),
    }
}

fn secrets(case: &Case) -> Vec<String> {
    let content = &case.content;
    let mut hidden = content.hidden.clone();
    hidden.extend(VARIABLES.iter().filter_map(|name| content.environment.get(*name)).cloned());
    hidden.extend(content.stdin.iter().cloned());
    let files =
        content.files.values().chain(case.steps.iter().flat_map(|step| step.files.values()));
    hidden.extend(files.map(|text| text.trim().to_owned()));
    hidden.extend(content.exchanges.iter().flat_map(exchange_secrets));
    for value in hidden.clone() {
        leaves(&serde_json::from_str(&value).unwrap_or_default(), &mut hidden);
    }
    hidden.extend(["eyJ", "PRIVATE KEY", PASSWORD].map(Into::into));
    hidden.retain(|text| !text.contains("<*>"));
    hidden
}

/// The secrets of one exchange.
fn exchange_secrets(exchange: &Exchange) -> Vec<String> {
    let mut hidden = Vec::new();
    let headers = exchange.with.iter().filter(|(name, _)| !HEADERS.contains(&name.as_str()));
    for (_, value) in headers {
        // The value without its scheme, `Bearer` or `Basic`.
        hidden.push(value.rsplit(' ').next().unwrap_or_default().to_owned());
    }
    let form = exchange.form.iter().flatten();
    hidden
        .extend(form.filter(|(name, _)| MEMBERS.contains(&name.as_str())).map(|(_, v)| v.clone()));
    let bodies = [Some(&exchange.body), exchange.json.as_ref(), Some(&exchange.stdout)];
    for body in bodies.into_iter().flatten() {
        if let Ok(body) = serde_json::from_str::<Value>(body) {
            let members = MEMBERS.iter().filter_map(|name| body.get(*name)?.as_str());
            hidden.extend(members.map(Into::into));
        }
    }
    hidden
}

fn leaves(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, into)),
        Value::Object(members) => members.values().for_each(|member| leaves(member, into)),
        _ => {}
    }
}
