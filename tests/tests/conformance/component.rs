//! The component in the host, with a server of ours behind every authority.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use vaultlet_core::testing::matches;
use vaultlet_host::{Error, Properties, TokenRequest, UserAssigned, Vaultlet};
use vaultlet_tests::case::{Call, Case, Exchange, Kind, Outcome, Rendering, said};

use crate::assertion::assertions;
use crate::attempt;
use crate::keys::Keys;
use crate::machine::Machine;
use crate::scan::scan;
use crate::scene::{Scene, Script, Trust};

/// Runs a case.
pub(crate) fn component(case: &Case) -> Result<(), String> {
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
    let mut variables = case.is.environment.clone();
    variables.entry("PATH".into()).or_insert_with(|| format!("{}/bin", machine.dir()));
    let builder = scene
        .rules
        .iter()
        .fold(Vaultlet::builder().variables(variables), |builder, rule| builder.resolve(rule));
    let told = Arc::<Mutex<Vec<String>>>::default();
    let builder = match &case.is.stdin {
        Some(text) => builder.user_assertion(text),
        None => builder,
    };
    let builder = if case.is.alone {
        builder
    } else {
        let told = Arc::clone(&told);
        builder.on_prompt(move |line| told.lock().unwrap().push(line.to_owned()))
    };
    let opened = builder.ca_file(trust.common.file()).open();
    for call in &case.calls {
        machine.write(&call.files)?;
        let result = opened.as_ref().map_err(Clone::clone).and_then(|v| of_call(call, v));
        let (outcome, shown) = match result {
            Ok((outcome, shown)) => (outcome, shown),
            Err(error) => (of_error(&error), format!("{error} {error:?}")),
        };
        // What was sent explains what came of it, so it is told first.
        script.right()?;
        call.check(&outcome, from, now())?;
        scan(case, &format!("{shown} {opened:?}"))?;
    }
    script.done()?;
    machine.right(case)?;
    let told = told.lock().unwrap().clone();
    said(&case.is.told, &told, matches)?;
    scan(case, &told.join("\n"))?;
    let signed = |algorithm: &str, text: &str, signature: &[u8]| {
        Keys::get().has_signed(algorithm, text, signature)
    };
    assertions(case, &script.sent(), now() - from, signed)
}

/// Whether a case has to do with keys.
pub(crate) fn uses_keys(case: &Case) -> bool {
    case.is.exchanges.iter().any(|e: &Exchange| e.kind() == Kind::Key)
}

fn of_call(call: &Call, vaultlet: &Vaultlet) -> Result<(Outcome, String), Error> {
    let named = [
        call.client_id.clone().map(UserAssigned::ClientId),
        call.object_id.clone().map(UserAssigned::ObjectId),
        call.resource_id.clone().map(UserAssigned::ResourceId),
    ];
    let of_named = named.into_iter().flatten().next().map(|id| vaultlet.with_identity(id));
    let vaultlet = of_named.as_ref().unwrap_or(vaultlet);
    if let Some(reference) = &call.get {
        let secret = vaultlet.get_blocking(reference)?;
        let properties = secret.properties();
        let outcome = Outcome::Secret {
            value: secret.reveal().to_owned(),
            version: properties.version.clone(),
            content_type: properties.content_type.clone(),
        };
        return Ok((outcome, format!("{secret:?} {properties:?}")));
    }
    if let Some(listed) = listed(call, vaultlet) {
        let items = listed?;
        let names = items.iter().map(|i| i.version.clone().unwrap_or_else(|| i.name.clone()));
        return Ok((Outcome::Items(names.collect()), format!("{items:?}")));
    }
    let request = TokenRequest {
        resource: call.token.clone(),
        tenant: call.tenant.clone(),
        claims: call.claims.clone(),
    };
    let token = vaultlet.token_blocking(request)?;
    let outcome = Outcome::Token {
        token: token.reveal().to_owned(),
        source: token.source().to_owned(),
        endpoint: token.endpoint().map(Into::into),
        client_id: token.client_id().map(Into::into),
        expires_on: unix(token.expires_on()),
    };
    Ok((outcome, format!("{token:?}")))
}

fn listed(call: &Call, vaultlet: &Vaultlet) -> Option<Result<Vec<Properties>, Error>> {
    let secrets = call.list.as_ref().map(|vault| vaultlet.list_blocking(vault));
    secrets.or_else(|| call.versions.as_ref().map(|of| vaultlet.versions_blocking(of)))
}

fn of_error(error: &Error) -> Outcome {
    let attempts = error
        .attempts
        .iter()
        .map(|a| attempt(&a.source, a.endpoint.as_deref(), a.outcome.as_str()))
        .collect();
    Outcome::Failed {
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
