//! The identity that a command gets: this machine's, none, or one that is lent to it.

use std::ffi::OsStr;
use std::process::Command;

use vaultlet_core::planner::identity_variables;
use vaultlet_host::{AGENT_VARIABLES, Error, Kind, Lend, Lent, Vaultlet};

use crate::failure::Failure;
use crate::options::Options;

/// What is done about the variables that lead to an identity.
#[derive(Default)]
pub(super) struct Identity {
    /// The variables that are taken from the command.
    removed: Vec<String>,
    lent: Option<Lent>,
}

impl Identity {
    /// No identity: what the plan calls secret is taken, and the way to the agent.
    pub(super) fn none(vaultlet: &Vaultlet) -> Result<Self, Failure> {
        let mut removed = vaultlet.plan_blocking(None)?.secrets;
        // What an agent gives needs no identity.
        removed.extend(AGENT_VARIABLES.map(str::to_owned));
        Ok(Self { removed, lent: None })
    }

    /// A lent identity, for Key Vault and these resources. Whatever leads to or chooses among other ones is taken,
    /// as it would not fit.
    pub(super) fn lent(
        vaultlet: &Vaultlet,
        resources: &[String],
        options: &Options,
        is_flag: bool,
    ) -> Result<Self, Failure> {
        let Self { mut removed, .. } = Self::none(vaultlet)?;
        removed.extend(identity_variables().into_iter().map(str::to_owned));
        let mut all = Vec::new();
        if !resources.is_empty() {
            all.push(options.settings()?.known_cloud()?.resource().to_owned());
            all.extend_from_slice(resources);
        }
        let lend = Lend { resources: all, ..Lend::default() };
        let lent = vaultlet.lend(lend).map_err(|error| refused(error, is_flag))?;
        Ok(Self { removed, lent: Some(lent) })
    }

    /// Whether a variable of this process's environment is taken from the command.
    pub(super) fn removes(&self, name: &OsStr) -> bool {
        self.removed.iter().any(|removed| name == &**removed)
    }

    /// Whether this process must outlive the command, to lend it an identity.
    pub(super) fn must_be_kept(&self) -> bool {
        self.lent.is_some()
    }

    /// Takes variables from a command, and gives it those of the lent identity.
    pub(super) fn apply(&self, command: &mut Command) {
        for name in &self.removed {
            command.env_remove(name);
        }
        let lent = self.lent.iter().flat_map(Lent::variables);
        command.envs(lent.map(|(name, value)| (name, value)));
    }
}

/// The failure to lend; one about the resources names where they come from.
fn refused(error: Error, is_flag: bool) -> Failure {
    if error.id != "argument-malformed" {
        return error.into();
    }
    let (kind, id, name) = match is_flag {
        true => (Kind::Usage, "usage", "--lend"),
        false => (Kind::Configuration, "setting-malformed", "VAULTLET_LEND"),
    };
    Failure::own(kind, id, format!("reading `{name}`: {}", error.message), &error.help)
}
