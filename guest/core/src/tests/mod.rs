//! Tests of whole calls in a scripted context: the requests, the results, and that no error shows a
//! secret.

mod chain;
mod clients;
mod command;
mod endpoint;
mod goes_on;
mod in_vain;
mod lend;
mod list;
mod managed;
mod plan;
mod props_challenge;
mod props_json;
mod props_requests;
mod props_route;
mod props_times;
mod read;
mod reference;
mod regressions;
mod settings;
mod settings_sources;
mod settings_table;
mod slips;
mod taken;
mod told;
mod transport;
mod variables;
mod vault;

use alloc::rc::Rc;

use crate::{
    call::{Call, Memory},
    error::{Error, ErrorKind},
    testing::ScriptedContext,
    token::{Token, TokenRequest},
    tokens::token,
    vault::{Secret, get},
    words::secret::SecretString,
};

/// Secrets that no error may show: an endpoint's secret, a token, a value.
const HIDDEN: [&str; 4] = ["msi-s3cret", "T0KEN", "hunter2", "ep-s3cret"];

const MSI: &str = "http://127.0.0.1:46808/MSI/auth";
const ML: [(&str, &str); 2] = [("MSI_ENDPOINT", MSI), ("MSI_SECRET", "msi-s3cret")];
const ML_REQUEST: &str = "GET http://127.0.0.1:46808/MSI/auth?api-version=2017-09-01&resource=https%3A%2F%2Fvault.azure.net secret: msi-s3cret";
const ML_TOKEN: &str = r#"{"access_token":"T0KEN.a-b_c","expires_in":86400,"expires_on":1700086400,"resource":"x","token_type":"Bearer"}"#;
const SECRET_REQUEST: &str = "GET https://job.vault.azure.net/secrets/db-password?api-version=2025-07-01 authorization: Bearer T0KEN.a-b_c";
const GUID: &str = "0a1b2c3d-0000-4000-8000-0123456789ab";
const VERSION: &str = "0123456789abcdef0123456789abcdef";
const BUNDLE: &str = r#"{"value":"hunter2","id":"https://job.vault.azure.net/secrets/db-password/0123456789abcdef0123456789abcdef","contentType":"text/plain","attributes":{"enabled":true,"created":1700000001,"updated":1700000002,"nbf":1,"exp":32503680000,"recoveryLevel":"Recoverable+Purgeable","recoverableDays":90},"tags":{"b":"2","a":"1"},"later":[{}]}"#;

/// The variables of Azure ML, and more.
fn ml_and<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    ML.iter().chain(more).copied().collect()
}

/// A context on Azure ML, with a token request in the script.
fn with_token() -> ScriptedContext {
    ScriptedContext::new(&ML).answer(ML_REQUEST, 200, &[], ML_TOKEN)
}

fn read(world: &ScriptedContext, memory: &Memory, reference: &str) -> Result<Secret, Error> {
    world.run(|| get(&Call::new(world, memory)?, reference, None))
}

fn ask(world: &ScriptedContext, memory: &Memory) -> Result<Rc<Token>, Error> {
    ask_for(world, memory, TokenRequest::parse("https://vault.azure.net", None, None, None)?)
}

fn ask_for(
    world: &ScriptedContext,
    memory: &Memory,
    request: TokenRequest,
) -> Result<Rc<Token>, Error> {
    world.run(|| token(&Call::new(world, memory)?, &request))
}

/// Checks an error's id, kind and line, and returns it.
#[track_caller]
fn failed<T>(result: Result<T, Error>, id: &str, kind: ErrorKind) -> Error {
    let Err(error) = result else { panic!("no error, but {id} was expected") };
    assert_eq!((error.id.as_str(), error.kind), (id, kind), "{}", error.line());
    let shown = format!("{} {} {error:?}", error.line(), error.json());
    for hidden in HIDDEN {
        assert!(!shown.contains(hidden), "{shown}");
    }
    let line = error.line();
    assert!(!line.contains(['\n', '\r']) && !line.ends_with('.'), "{line}");
    assert!(!line.starts_with(char::is_uppercase), "{line}");
    assert!(!error.help.is_empty(), "{line}");
    error
}

#[test]
fn debug_of_public_types_shows_no_secret() {
    let world = ScriptedContext::new(&ML).answer(ML_REQUEST, 200, &[], ML_TOKEN).answer(
        SECRET_REQUEST,
        200,
        &[],
        BUNDLE,
    );
    let memory = Memory::default();
    let secret = read(&world, &memory, "akv://job/db-password").unwrap();
    let shown = format!("{secret:?} {memory:?} {:?}", SecretString::from("hunter2"));
    for hidden in HIDDEN {
        assert!(!shown.contains(hidden), "{shown}");
    }
}
