//! The agent that secrets come from: whether it is there, whose it is, and whether it answers.

use super::{Facts, Result};
use crate::doctor::finding::{fail, ok, warn};
use crate::failure::Failure;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Result> {
    let wrong = facts.wrong("agent");
    if !wrong.is_empty() {
        return wrong;
    }
    let (Some(agent), Some(status)) = (facts.agent(), facts.agent_status()) else {
        return Vec::new();
    };
    let place = &agent.place;
    let status = match status {
        Ok(status) => status,
        Err(error) if agent.falls_back && is_about_agent(&error.id) => {
            let seen = format!("{}, so that the vault is asked ({})", error.message, error.id);
            return vec![warn(seen, error.help.clone())];
        }
        Err(error) => return vec![fail("", &Failure::from(error.clone()))],
    };
    let own = env!("CARGO_PKG_VERSION");
    let seen = format!(
        "{place} answers: vaultlet {}, with {} secrets, {} of them old",
        status.version, status.secrets, status.stale
    );
    if status.version != own {
        let help = format!("use one version for the agent and its programs; this one is {own}");
        return vec![warn(seen, help)];
    }
    if status.stale > 0 {
        let help = "look at the agent's own log: it cannot ask a vault anew";
        return vec![warn(seen, help)];
    }
    vec![ok(seen)]
}

/// Whether somebody else is asked because of an error of this id.
fn is_about_agent(id: &str) -> bool {
    ["agent-unreachable", "agent-unexpected"].contains(&id)
}
