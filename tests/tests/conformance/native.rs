//! The core in a scripted world.

use std::panic::{AssertUnwindSafe, catch_unwind};

use vaultlet_guest::call::{Call, Memory};
use vaultlet_guest::context::{Context as _, SendError};
use vaultlet_guest::error::Error;
use vaultlet_guest::testing::{START, World};
use vaultlet_guest::token::{TokenRequest, token};
use vaultlet_guest::vault;
use vaultlet_tests::case::{Case, Fail, Outcome, rendered};

use crate::{attempt, expected, scan};

/// Runs a case.
pub(crate) fn native(case: &Case) -> Result<(), String> {
    // The world fails by panicking.
    catch_unwind(AssertUnwindSafe(|| native_or_panic(case))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.unwrap_or_else(|| "it panicked".into()))
    })
}

fn native_or_panic(case: &Case) -> Result<(), String> {
    let variables: Vec<_> =
        case.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let world = case.exchanges.iter().fold(World::new(&variables), |world, exchange| {
        let request = expected(exchange);
        let failure = match exchange.fail {
            None => {
                let headers: Vec<_> =
                    exchange.headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                let body = rendered(&exchange.body, START);
                return world.answer(&request, exchange.status, &headers, body);
            }
            Some(Fail::Refused) => SendError::Refused,
            Some(Fail::Untrusted) => SendError::TlsUntrusted,
            Some(Fail::Cut) => SendError::Protocol("cut".into()),
        };
        world.fail(&request, failure)
    });
    let memory = Memory::default();
    let results: Vec<_> = world.run(async {
        let mut results = Vec::new();
        for _ in 0..case.times {
            results.push(native_call(case, &world, &memory).await);
        }
        results
    });
    for result in results {
        let (outcome, shown) = match result {
            Ok((outcome, shown)) => (outcome, shown),
            Err(error) => {
                let shown = format!("{} {} {error:?}", error.line(), error.json());
                (of(&error), shown)
            }
        };
        case.check(&outcome, START, world.now())?;
        scan(case, &format!("{shown} {memory:?}"))?;
    }
    Ok(())
}

async fn native_call(
    case: &Case,
    world: &World,
    memory: &Memory,
) -> Result<(Outcome, String), Error> {
    let call = Call::new(world, memory)?;
    if let Some(reference) = &case.get {
        let secret = vault::get(&call, reference, None).await?;
        let shown = format!("{secret:?}");
        let outcome = Outcome::Secret {
            value: secret.value.reveal().to_owned(),
            version: secret.properties.version,
            content_type: secret.properties.content_type,
        };
        return Ok((outcome, shown));
    }
    let resource = case.token.as_deref().unwrap_or_default();
    let token = token(&call, &TokenRequest::parse(resource, None, None, None)?).await?;
    let outcome = Outcome::Token {
        token: token.secret.reveal().to_owned(),
        source: token.source.clone(),
        endpoint: token.endpoint.clone(),
        client_id: token.client_id.clone(),
        expires_on: token.expires_on,
    };
    Ok((outcome, format!("{token:?}")))
}

fn of(error: &Error) -> Outcome {
    let attempts = error
        .attempts
        .iter()
        .map(|a| attempt(&a.source, a.endpoint.as_deref(), a.outcome.name()))
        .collect();
    Outcome::Failed {
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
