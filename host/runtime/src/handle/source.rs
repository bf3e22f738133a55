//! Where secrets come from: the agent of this machine, if the settings name one, or the component. With an agent
//! the component is loaded when something is asked that only it can answer.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use vaultlet_core::settings::Settings as Known;
use vaultlet_core::vault::Reference;

use crate::agent::{self, AgentStatus, Failed, Place};
use crate::call::Call;
use crate::error::Error;
use crate::policy::{Guard, settings_of};
use crate::secret::Secret;
use crate::settings::Settings;
use crate::token::UserAssigned;

use super::fork;
use super::operations::Operations;
use super::process::load;
use super::vaultlet::Vaultlet;

/// A function that ends the calls that wait too long for a thread.
pub(super) type Expire = Arc<dyn Fn() + Send + Sync>;

pub(crate) struct Source {
    settings: Settings,
    agent: Option<agent::Agent>,
    /// The policy and audit, if there are any.
    pub(super) guard: Option<Guard>,
    expire: Expire,
    operations: OnceLock<Operations>,
    known: OnceLock<Known>,
}

impl Source {
    pub(super) fn open(settings: Settings, expire: Expire) -> Result<Self, Error> {
        let place = settings.of_host(agent::PLACE).unwrap_or_default();
        let place = Place::parse(&place, settings.path_of_host(agent::TOKEN_FILE))?;
        let agent = match place {
            Some(place) => {
                Some(agent::Agent::new(place, settings.of_host(agent::FALLBACK).as_deref())?)
            }
            None => None,
        };
        let (operations, known) = Default::default();
        let mut source = Self { settings, agent, guard: None, expire, operations, known };
        match source.agent {
            // What the component would find wrong with a setting.
            Some(_) => drop(source.known()?),
            None => drop(source.operations.set(load(&source.settings, source.expire.clone())?)),
        }
        if let Some(path) = source.settings.policy() {
            let variables = source.settings.component_variables()?;
            let program = source.settings.program.clone();
            source.guard = Some(Guard::open(&path, program, &variables)?);
        }
        Ok(source)
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where the agent is, if there is one.
    pub(super) fn place(&self) -> Option<String> {
        self.agent.as_ref().map(|agent| agent.place().to_string())
    }

    /// What only the component can do.
    pub(crate) fn operations(&self) -> Result<&Operations, Error> {
        if self.operations.get().is_none() {
            // Held by one thread at a time.
            let _no_fork = fork::begin();
            if self.operations.get().is_none() {
                let loaded = load(&self.settings, self.expire.clone())?;
                let _ = self.operations.set(loaded);
            }
        }
        let lost = || Error::internal("loading the component: it was lost");
        self.operations.get().ok_or_else(lost)
    }

    pub(super) fn expire(&self) -> Expire {
        Arc::clone(&self.expire)
    }

    /// The component, if it is loaded.
    pub(super) fn loaded(&self) -> Option<&Operations> {
        self.operations.get()
    }

    /// The settings by which references are read.
    pub(super) fn known(&self) -> Result<&Known, Error> {
        if let Some(known) = self.known.get() {
            return Ok(known);
        }
        let known = settings_of(&self.settings.component_variables()?)?;
        Ok(self.known.get_or_init(|| known))
    }

    /// Gets a secret without a policy, and says whether it comes from the agent.
    pub(super) fn read(
        &self,
        reference: &str,
        asker: &Asker,
        call: &Arc<Call>,
    ) -> Result<(Secret, bool), Error> {
        if let Some(agent) = self.agent.as_ref().filter(|_| !asker.is_direct) {
            let reference = Reference::parse(reference, self.known()?)?;
            if let Some(secret) = self.unless_unusable(agent.get(&reference, call))? {
                return Ok((secret, true));
            }
        }
        Ok((self.operations()?.read(reference, asker.identity.as_ref(), call)?, false))
    }

    /// Gets several secrets from the agent.
    fn get_all(&self, references: &[String], call: &Call) -> Result<Several, Error> {
        let Some(agent) = &self.agent else { return Ok(Several::Direct) };
        let known = self.known()?;
        let parsed = references.iter().map(|it| Reference::parse(it, known));
        let parsed = match parsed.collect::<Result<Vec<_>, _>>() {
            Ok(parsed) => parsed,
            Err(error) => return Ok(Several::Refused(error.into())),
        };
        match agent.get_all(&parsed, call) {
            Err(Failed::Refused(error)) => Ok(Several::Refused(error)),
            result => Ok(self.unless_unusable(result)?.map_or(Several::Direct, Several::All)),
        }
    }

    /// Waits for another version of a secret than this one, without a policy.
    pub(super) fn next_version(
        &self,
        reference: &str,
        version: &str,
        within: Duration,
        call: &Call,
    ) -> Result<Option<Secret>, Error> {
        let Some(agent) = &self.agent else {
            return Err(Error::internal("watching a secret: there is no agent"));
        };
        let reference = Reference::parse(reference, self.known()?)?;
        Ok(agent.changed(&reference, version, within, call)?)
    }

    /// What the agent said; `None` when it cannot be asked and somebody else may be.
    fn unless_unusable<T>(&self, result: Result<T, Failed>) -> Result<Option<T>, Error> {
        match result {
            Ok(answer) => Ok(Some(answer)),
            Err(Failed::Unusable(error))
                if self.agent.as_ref().is_some_and(|it| it.falls_back()) =>
            {
                tracing::warn!(target: "vaultlet", "the agent is passed over: {}", error.message);
                Ok(None)
            }
            Err(failed) => Err(failed.into()),
        }
    }
}

/// Who asks for a secret.
#[derive(Clone)]
pub(super) struct Asker {
    pub(super) identity: Option<UserAssigned>,
    /// Whether the agent is passed over.
    pub(super) is_direct: bool,
}

/// What becomes of several secrets.
pub(super) enum Several {
    /// The agent has them all.
    All(Vec<Secret>),
    /// The agent refuses one of them, or all.
    Refused(Error),
    /// The vault is to be asked.
    Direct,
}

/// The agent that a handle asks. This is for the command line only, and no part of this crate's stable interface.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Agent {
    /// Where it is: `unix:PATH` or `http://127.0.0.1:PORT`.
    pub place: String,
    /// Whether the vault is asked when the agent is not there.
    pub falls_back: bool,
}

impl Vaultlet {
    /// The agent that secrets come from, if the settings name one.
    #[doc(hidden)]
    pub fn agent(&self) -> Result<Option<Agent>, Error> {
        let agent = self.current()?.source.agent.as_ref();
        Ok(agent.map(|it| Agent { place: it.place().to_string(), falls_back: it.falls_back() }))
    }

    /// What the agent says of itself; `None` without an agent.
    #[doc(hidden)]
    pub fn agent_status_blocking(&self) -> Result<Option<AgentStatus>, Error> {
        self.block("asking the agent", |source, call| match &source.agent {
            Some(agent) => Ok(Some(agent.status(call)?)),
            None => Ok(None),
        })
    }

    /// Waits until the agent has another version of a secret than this one; `None` when it has not within this
    /// time, which is on top of what a call may take.
    #[doc(hidden)]
    pub fn changed_blocking(
        &self,
        reference: &str,
        version: &str,
        within: Duration,
    ) -> Result<Option<Secret>, Error> {
        let limit = self.limit()? + within;
        self.with_timeout(limit).block("watching a secret", |source, call| {
            source.changed(reference, version, within, call)
        })
    }

    /// Whether the agent is asked for so many secrets at once.
    pub(super) fn asks_agent(&self, count: usize) -> Result<bool, Error> {
        let source = &self.current()?.source;
        // Under a policy each is checked and recorded by itself.
        Ok(count > 1 && !self.is_direct && source.agent.is_some() && source.guard.is_none())
    }

    /// A call for several secrets of the agent.
    pub(super) fn agent_work(
        references: Vec<String>,
    ) -> impl FnOnce(&Source, &Arc<Call>) -> Result<Several, Error> {
        move |source, call| source.get_all(&references, call)
    }
}
