//! Runs a case in a component, in the host, with a scripted server in place of every real one.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::SystemTime;

use vaultlet_core::testing::matches;
use vaultlet_host::{Error, Properties, TokenRequest, UserAssigned, Vaultlet};
use vaultlet_tests::case::{Actual, Case, Exchange, Kind, Rendering, Step, said};
use vaultlet_tests::stock::component;

use crate::assertion::assertions;
use crate::attempt;
use crate::keys::Keys;
use crate::machine::Machine;
use crate::scan::scan;
use crate::scene::{Scene, Script, Trust};

/// Runs a case in the host's own component, of the world `embedded`.
pub(crate) fn embedded(case: &Case) -> Result<(), String> {
    run(case, None)
}

/// Runs a case in the public component, of the world `provider`.
pub(crate) fn public(case: &Case) -> Result<(), String> {
    static WASM: LazyLock<Vec<u8>> = LazyLock::new(|| std::fs::read(component()).unwrap());
    run(case, Some(&WASM))
}

fn run(case: &Case, component: Option<&[u8]>) -> Result<(), String> {
    let (from, trust, machine) = (now(), Trust::new(case), Machine::new());
    let mut words = trust.words();
    words.insert("dir".into(), machine.dir());
    if uses_keys(case) {
        words.extend(Keys::get().words());
    }
    let case = &case.rendered(&Rendering { now: from, words })?;
    machine.furnish(case)?;
    let script = Arc::new(Script::new(case));
    let scene = Scene::new(case, &trust, &script)?;
    let mut variables = case.content.environment.clone();
    variables.entry("PATH".into()).or_insert_with(|| format!("{}/bin", machine.dir()));
    let builder = scene
        .rules
        .iter()
        .fold(Vaultlet::builder().variables(variables), |builder, rule| builder.resolve(rule));
    let told = Arc::<Mutex<Vec<String>>>::default();
    let builder = match &case.content.stdin {
        Some(text) => builder.user_assertion(text),
        None => builder,
    };
    let builder = if case.content.alone {
        builder
    } else {
        let told = Arc::clone(&told);
        builder.on_prompt(move |line| told.lock().unwrap().push(line.to_owned()))
    };
    let builder = match component {
        None => builder,
        Some(wasm) => builder.component(wasm),
    };
    let opened = builder.ca_file(trust.common.file()).open();
    for step in &case.steps {
        machine.write(&step.files)?;
        let result = opened.as_ref().map_err(Clone::clone).and_then(|v| call(step, v));
        let (actual, shown) = match result {
            Ok((actual, shown)) => (actual, shown),
            Err(error) => (failed(&error), format!("{error} {error:?}")),
        };
        // A wrong request explains a wrong result, so it is reported first.
        script.right()?;
        step.check(&actual, from, now())?;
        scan(case, &format!("{shown} {opened:?}"))?;
    }
    script.done()?;
    machine.right(case)?;
    let told = told.lock().unwrap().clone();
    said(&case.content.told, &told, matches)?;
    scan(case, &told.join("\n"))?;
    let signed = |algorithm: &str, text: &str, signature: &[u8]| {
        Keys::get().has_signed(algorithm, text, signature)
    };
    assertions(case, &script.sent(), now() - from, signed)
}

/// Whether a case uses a key.
pub(crate) fn uses_keys(case: &Case) -> bool {
    case.content.exchanges.iter().any(|e: &Exchange| e.kind() == Kind::Key)
}

/// Makes the call of a step; gives its result and everything that it shows.
fn call(step: &Step, vaultlet: &Vaultlet) -> Result<(Actual, String), Error> {
    let named = [
        step.client_id.clone().map(UserAssigned::ClientId),
        step.object_id.clone().map(UserAssigned::ObjectId),
        step.resource_id.clone().map(UserAssigned::ResourceId),
    ];
    let with_identity = named.into_iter().flatten().next().map(|id| vaultlet.with_identity(id));
    let vaultlet = with_identity.as_ref().unwrap_or(vaultlet);
    if let Some(reference) = &step.get {
        let secret = vaultlet.get_blocking(reference)?;
        let properties = secret.properties();
        let actual = Actual::Secret {
            value: secret.reveal().to_owned(),
            version: properties.version.clone(),
            content_type: properties.content_type.clone(),
        };
        return Ok((actual, format!("{secret:?} {properties:?}")));
    }
    if let Some(listed) = listed(step, vaultlet) {
        let items = listed?;
        let names = items.iter().map(|i| i.version.clone().unwrap_or_else(|| i.name.clone()));
        return Ok((Actual::Items(names.collect()), format!("{items:?}")));
    }
    let request = TokenRequest {
        resource: step.token.clone(),
        tenant: step.tenant.clone(),
        claims: step.claims.clone(),
    };
    let token = vaultlet.token_blocking(request)?;
    let actual = Actual::Token {
        token: token.reveal().to_owned(),
        source: token.source().to_owned(),
        endpoint: token.endpoint().map(Into::into),
        client_id: token.client_id().map(Into::into),
        expires_on: unix(token.expires_on()),
    };
    Ok((actual, format!("{token:?}")))
}

fn listed(step: &Step, vaultlet: &Vaultlet) -> Option<Result<Vec<Properties>, Error>> {
    let secrets = step.list.as_ref().map(|vault| vaultlet.list_blocking(vault));
    secrets.or_else(|| step.versions.as_ref().map(|of| vaultlet.versions_blocking(of)))
}

fn failed(error: &Error) -> Actual {
    let attempts = error
        .attempts
        .iter()
        .map(|a| attempt(&a.source, a.endpoint.as_deref(), a.outcome.as_str()))
        .collect();
    Actual::Failed {
        kind: error.kind.as_str().to_owned(),
        id: error.id.clone(),
        line: error.to_string(),
        help: error.help.clone(),
        status: error.status,
        code: error.code.clone(),
        retry_after_ms: error.retry_after.map(|after| after.as_millis().try_into().unwrap()),
        attempts,
    }
}

fn now() -> i64 {
    unix(SystemTime::now())
}

fn unix(at: SystemTime) -> i64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}
