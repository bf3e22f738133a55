//! The state of each secret: whether it is there, enabled, and valid today.

use std::time::{SystemTime, UNIX_EPOCH};

use vaultlet_core::date;
use vaultlet_host::Secret;

use super::access::{is_about_secret, waits_for};
use super::{Facts, Result};
use crate::doctor::finding::{fail, ok, waits, warn};
use crate::doctor::subjects::Subject;

/// How long before its end a secret is said to expire soon: as long as the service's own event
/// `SecretNearExpiry`.
const SOON: i64 = 30 * 24 * 3600;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Result> {
    facts.subjects.usable().map(|subject| of_subject(facts, subject)).collect()
}

fn of_subject(facts: &Facts<'_>, subject: &Subject) -> Result {
    let name = subject.name();
    if let Some(earlier) = waits_for(facts, subject) {
        return waits(&name, earlier);
    }
    let secret = match facts.secret(subject) {
        None => return waits(&name, "settings"),
        Some(Err(error)) if !is_about_secret(error) => return waits(&name, "access"),
        Some(secret) => secret,
    };
    match (subject.is_there(secret), secret) {
        (Err(failure), _) => fail(&name, &failure),
        (Ok(true), Ok(secret)) => of_secret(&name, secret),
        _ => ok(format!("{name}: there is none, and the reference says that this is no error")),
    }
}

fn of_secret(name: &str, secret: &Secret) -> Result {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let properties = secret.properties();
    let time = date::text;
    match (properties.not_before, properties.expires) {
        (_, Some(expires)) if expires <= now => warn(
            format!("{name}: expired on {}; it can still be read", time(expires)),
            "set a new version of the secret, or a later expiry date",
        ),
        (Some(start), _) if start > now => warn(
            format!("{name}: valid only from {}; it can be read already", time(start)),
            "check the secret's activation date, and this machine's clock",
        ),
        (_, Some(expires)) if expires - now < SOON => warn(
            format!("{name}: expires on {}", time(expires)),
            "set a new version of the secret before that day",
        ),
        (_, Some(expires)) => ok(format!("{name}: enabled, expires on {}", time(expires))),
        (_, None) => ok(format!("{name}: enabled, does not expire")),
    }
}
