//! Runs a case in the core, compiled natively, with a scripted context.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use vaultlet_core::call::{Call as CoreCall, Memory};
use vaultlet_core::context::{Context as _, SendError};
use vaultlet_core::error::{Error, Id};
use vaultlet_core::plan::Program;
use vaultlet_core::planner::plan_credentials;
use vaultlet_core::testing::{START, ScriptedContext, matches};
use vaultlet_core::token::{TokenRequest, UserAssigned};
use vaultlet_core::tokens::token;
use vaultlet_core::vault::{self, Listed};
use vaultlet_tests::case::{Actual, Case, Exchange, Fail, Kind, Rendering, Step, said};

use crate::assertion::assertions;
use crate::attempt;
use crate::component::uses_keys;
use crate::keys::Keys;
use crate::scan::scan;
use crate::scene::pins;

/// A certificate and a fingerprint that no server has.
const CA: &str = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
const PIN: &str = "0123456789abcdef0123456789abcdef01234567";
/// Placeholders in a program's arguments for its input.
const VALUES: [&str; 3] = ["{resource}", "{tenant}", "{claims}"];
/// The signature that the scripted key makes.
const SIGNATURE: &str = "s1gnature";

/// Runs a case.
pub(crate) fn native(case: &Case) -> Result<(), String> {
    // The scripted context panics on a request that it does not expect.
    catch_unwind(AssertUnwindSafe(|| native_or_panic(case))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.unwrap_or_else(|| "a panic without a text".into()))
    })
}

fn native_or_panic(case: &Case) -> Result<(), String> {
    let words = [("dir", "/case"), ("ca", CA)].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let mut words: BTreeMap<_, _> = words.into_iter().chain(pins(PIN)).collect();
    if uses_keys(case) {
        words.extend(Keys::get().words());
    }
    let case = &case.rendered(&Rendering { now: START, words })?;
    let variables: Vec<_> = case
        .content
        .environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let world =
        case.content.exchanges.iter().fold(ScriptedContext::new(&variables).hosted(), scripted);
    let world =
        case.content.files.iter().fold(world, |w, (path, text)| w.file(path, text.as_str()));
    let world = case.content.stdin.iter().fold(world, |world, text| world.file("-", text.as_str()));
    let world = if case.content.alone { world.unattended() } else { world };
    let memory = Memory::default();
    let results: Vec<_> = world.run(|| {
        let mut results = Vec::new();
        for step in &case.steps {
            for (path, text) in &step.files {
                world.write(path, text.as_str());
            }
            results.push(result(step, &world, &memory));
        }
        results
    });
    for (step, result) in case.steps.iter().zip(results) {
        let (actual, shown) = match result {
            Ok((actual, shown)) => (actual, shown),
            Err(error) => {
                let shown = format!("{} {} {error:?}", error.line(), error.json());
                (failed(&error), shown)
            }
        };
        step.check(&actual, START, world.now())?;
        scan(case, &format!("{shown} {memory:?}"))?;
    }
    said(&case.content.told, &world.prompts(), matches)?;
    scan(case, &world.prompts().join("\n"))?;
    programs(case)?;
    let late = world.now() - START;
    assertions(case, &world.sent(), late, |_, _, signature| signature == SIGNATURE.as_bytes())
}

/// Adds one exchange to the script.
fn scripted(world: ScriptedContext, exchange: &Exchange) -> ScriptedContext {
    let mut request = exchange.text();
    let (status, body) = match exchange.kind() {
        Kind::Http => {
            let failure = match exchange.fail {
                None => None,
                Some(Fail::Refused) => Some(SendError::Refused),
                Some(Fail::Untrusted) => Some(SendError::TlsUntrusted),
                Some(Fail::Cut) => Some(SendError::Protocol("cut".into())),
            };
            if let Some(failure) = failure {
                return world.fail(&request, failure);
            }
            (exchange.status, exchange.body.clone())
        }
        Kind::Program if exchange.missing => (404, String::new()),
        Kind::Program if exchange.slow => (504, String::new()),
        Kind::Program => (200, format!("{}{}", exchange.stdout, exchange.stderr)),
        Kind::Key if exchange.status != 200 => (exchange.status, exchange.body.clone()),
        Kind::Key if request.starts_with("GET ") => (200, Keys::get().certificate()),
        Kind::Key => {
            request.push_str(" | <*>");
            (200, SIGNATURE.to_owned())
        }
    };
    let mut headers = exchange.headers.clone();
    if exchange.kind() == Kind::Key && status == 200 {
        let digests = Keys::get().words().into_iter().filter(|(word, _)| word.starts_with("sha"));
        headers.extend(digests.map(|(word, digest)| (format!("vaultlet-{word}"), digest)));
    }
    if exchange.kind() == Kind::Program && status == 200 {
        headers.insert("vaultlet-exit-status".into(), exchange.exit.to_string());
        headers.insert("vaultlet-stdout-length".into(), exchange.stdout.len().to_string());
    }
    let headers: Vec<_> = headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    world.answer(&request, status, &headers, body)
}

/// The result of a step, and everything that it shows.
fn result(
    step: &Step,
    world: &ScriptedContext,
    memory: &Memory,
) -> Result<(Actual, String), Error> {
    let malformed = || Error::new(Id::ArgumentMalformed, "asking for a token: no such identity");
    let parsers = [
        (&step.client_id, UserAssigned::client_id as fn(&str) -> Option<UserAssigned>),
        (&step.object_id, UserAssigned::object_id),
        (&step.resource_id, UserAssigned::resource_id),
    ];
    let named = parsers.into_iter().find_map(|(id, parse)| id.as_deref().map(parse));
    let identity = named.map(|id| id.ok_or_else(malformed)).transpose()?;
    let core = CoreCall::new(world, memory)?;
    if let Some(reference) = &step.get {
        let secret = vault::get(&core, reference, identity)?;
        let shown = format!("{secret:?}");
        let actual = Actual::Secret {
            value: secret.value.reveal().to_owned(),
            version: secret.properties.version,
            content_type: secret.properties.content_type,
        };
        return Ok((actual, shown));
    }
    let secrets = step.list.as_ref().map(|vault| Listed::secrets(vault, core.settings()));
    let versions = || step.versions.as_ref().map(|of| Listed::versions(of, core.settings()));
    if let Some(listed) = secrets.or_else(versions) {
        let items = vault::all(&core, &listed?, identity)?;
        let shown = format!("{items:?}");
        let names = items.into_iter().map(|item| item.version.unwrap_or(item.name));
        return Ok((Actual::Items(names.collect()), shown));
    }
    let resource = step.token.as_deref().unwrap_or_default();
    let request =
        TokenRequest::parse(resource, step.tenant.clone(), step.claims.clone(), identity)?;
    let token = token(&core, &request)?;
    let actual = Actual::Token {
        token: token.secret.reveal().to_owned(),
        source: token.source.clone(),
        endpoint: token.endpoint.clone(),
        client_id: token.client_id.clone(),
        expires_on: token.expires_on,
    };
    Ok((actual, format!("{token:?}")))
}

/// Checks that the plan runs the programs with the arguments in the case.
fn programs(case: &Case) -> Result<(), String> {
    let runs = case.content.exchanges.iter().filter(|exchange| !exchange.missing);
    for (exchange, asked) in runs.filter_map(|e| Some((e, e.program.as_deref()?))) {
        let mut variables: Vec<_> = case.content.environment.clone().into_iter().collect();
        // With no variable set, a plan lists only the variables that it wants.
        variables.push(("AZURE_TOKEN_CREDENTIALS".into(), String::new()));
        let plan = plan_credentials(&variables, &variables).map_err(|error| error.line())?;
        let (name, query) = asked.split_once('?').unwrap_or((asked, ""));
        let program = plan.programs.iter().find(|program| program.name == name);
        let program = program.ok_or_else(|| format!("the plan has no program {name}"))?;
        let (arguments, variables) = expanded(program, query);
        if !arguments_match(&arguments, &exchange.arguments) {
            return Err(format!("the plan has {name} run with {arguments:?}"));
        }
        let is_missing = |(name, value): &(&String, &String)| variables.get(*name) != Some(*value);
        if let Some(pair) = exchange.variables.iter().find(is_missing) {
            return Err(format!("the plan has {name} run without {pair:?}"));
        }
    }
    Ok(())
}

/// Whether a program's arguments are those of a case, where `<*>` is any one argument.
pub(crate) fn arguments_match(arguments: &[impl AsRef<str>], expected: &[String]) -> bool {
    arguments.len() == expected.len()
        && arguments.iter().zip(expected).all(|(a, e)| e == "<*>" || e == a.as_ref())
}

/// A program's arguments and variables, with the values of a query in place.
fn expanded(program: &Program, query: &str) -> (Vec<String>, BTreeMap<String, String>) {
    let query: http::Uri = format!("/?{query}").parse().unwrap();
    let values: BTreeMap<_, _> = query
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (format!("{{{name}}}"), unescaped(value)))
        .collect();
    let fill = |text: &str| {
        let filled = values.iter().fold(text.to_owned(), |text, (k, v)| text.replace(k, v));
        // The query has no value for a placeholder that is left.
        (!VALUES.iter().any(|value| filled.contains(value))).then_some(filled)
    };
    let group = |group: &&[&str]| group.iter().map(|text| fill(text)).collect::<Option<Vec<_>>>();
    let arguments = program.arguments.iter().filter_map(group).flatten().collect();
    let variables = program.variables.iter();
    let variables = variables.filter_map(|(name, value)| Some(((*name).to_owned(), fill(value)?)));
    (arguments, variables.collect())
}

fn unescaped(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).unwrap());
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).unwrap()
}

fn failed(error: &Error) -> Actual {
    let attempts = error
        .attempts
        .iter()
        .map(|a| attempt(&a.source, a.endpoint.as_deref(), a.outcome.name()))
        .collect();
    Actual::Failed {
        kind: error.kind.name().to_owned(),
        id: error.id.clone(),
        line: error.line(),
        help: error.help.clone(),
        status: error.status,
        code: error.code.clone(),
        retry_after_ms: error.retry_after_ms,
        attempts,
    }
}
