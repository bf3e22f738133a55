//! The token, and what it is for.

use std::time::{SystemTime, UNIX_EPOCH};

use vaultlet_core::date;
use vaultlet_host::Token;

use super::identity::named;
use super::{Facts, Result};
use crate::doctor::facts::{is_about_identity, is_exhausted};
use crate::doctor::finding::{fail, ok, waits, warn};
use crate::failure::Failure;

/// Key Vault's own id, which tokens may name in place of its URL.
/// <https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in>
const KEY_VAULT: &str = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093";

pub(super) fn check(facts: &Facts<'_>) -> Vec<Result> {
    if let Some(blamed) = facts.blamed() {
        return vec![waits("", blamed)];
    }
    match facts.token() {
        None => Vec::new(),
        Some(Ok(token)) => vec![of_token(token)],
        Some(Err(error)) if is_exhausted(&error.id) => vec![waits("", "limits")],
        Some(Err(error)) if is_about_identity(error) => vec![waits("", "identity")],
        Some(Err(error)) => vec![fail("", &Failure::from(error.clone()))],
    }
}

fn of_token(token: &Token) -> Result {
    let holder = token.holder();
    let audience = holder.audience.as_deref().unwrap_or("an audience that it does not name");
    let mut text = format!("for {audience}, by {}", named(token.source(), token.endpoint()));
    for (what, id) in [
        ("object id", &holder.object_id),
        ("client id", &holder.app_id),
        ("tenant", &holder.tenant),
    ] {
        if let Some(id) = id {
            text.extend([", ", what, " ", id]);
        }
    }
    let bare = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    let is_right = holder
        .audience
        .as_ref()
        .is_none_or(|audience| bare(audience) == bare(token.resource()) || audience == KEY_VAULT);
    if !is_right {
        return warn(
            format!("{text}; it is not for {}, which was asked for", token.resource()),
            "check the identity endpoint and `AZURE_AUTHORITY_HOST`: a vault refuses a token for another audience",
        );
    }
    let until = token.expires_on().duration_since(UNIX_EPOCH).map_or(0, |until| until.as_secs());
    let until = date::text(i64::try_from(until).unwrap_or(i64::MAX));
    match token.expires_on().duration_since(SystemTime::now()) {
        Ok(left) => ok(format!("{text}; valid until {}, for {} min", until, left.as_secs() / 60)),
        Err(_) => warn(
            format!("{text}; by this machine's clock it has expired already"),
            "set this machine's clock",
        ),
    }
}
