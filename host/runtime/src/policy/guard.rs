//! The policy and audit of a handle, in front of every secret that it gets.

use std::path::{Path, PathBuf};

use vaultlet_core::settings::Settings;

use crate::error::Error;

use super::audit::{Audit, Event, EventKind};
use super::canonical::{Canonical, settings_of};
use super::rules::{Policy, Subject};
use super::user::User;

/// The policy and audit of a handle.
pub(crate) struct Guard {
    policy: Policy,
    audit: Audit,
    /// The settings by which references are read.
    settings: Settings,
    user: User,
    program: Option<PathBuf>,
}

impl Guard {
    /// Reads a policy. `program` is the one that the secrets are for, if it is not this one; `variables` are the
    /// component's settings.
    pub(crate) fn open(
        path: &Path,
        program: Option<PathBuf>,
        variables: &[(String, String)],
    ) -> Result<Self, Error> {
        let policy = Policy::load(path)?;
        let audit = Audit::open(&policy)?;
        let program = program.or_else(|| std::env::current_exe().ok());
        Ok(Self { policy, audit, settings: settings_of(variables)?, user: User::own(), program })
    }

    pub(crate) fn canonical(&self, reference: &str) -> Result<Canonical, Error> {
        Canonical::read(reference, &self.settings)
    }

    /// Fails if the policy does not allow a reference. `plugin` is the plugin that asks, if it is one.
    pub(crate) fn check(&self, reference: &Canonical, plugin: Option<&str>) -> Result<(), Error> {
        let program = self.program.as_deref();
        let decision = self.policy.decide(&Subject { reference, user: &self.user, program });
        if decision.allowed {
            return Ok(());
        }
        let error = self.policy.denial(reference, &decision);
        self.note(EventKind::Denied, reference, plugin, &error);
        Err(error)
    }

    /// Records that a value is given out, which it must not be when this fails. `source` is [`Event::source`].
    pub(crate) fn reveal(
        &self,
        reference: &Canonical,
        plugin: Option<&str>,
        version: Option<&str>,
        source: Option<&str>,
    ) -> Result<(), Error> {
        let event = self.event(EventKind::Reveal, reference, plugin);
        self.audit.write(&Event { version, source, ..event })
    }

    /// Whether anything is recorded.
    pub(crate) fn has_audit(&self) -> bool {
        self.audit.is_kept()
    }

    /// Records a request for which nothing is given out. That it cannot be recorded changes nothing for the caller.
    pub(crate) fn note(
        &self,
        kind: EventKind,
        reference: &Canonical,
        plugin: Option<&str>,
        error: &Error,
    ) {
        let event = Event { id: Some(&error.id), ..self.event(kind, reference, plugin) };
        if let Err(error) = self.audit.write(&event) {
            tracing::error!(target: "vaultlet::audit", "{error}");
        }
    }

    fn event<'a>(
        &'a self,
        kind: EventKind,
        reference: &'a Canonical,
        plugin: Option<&'a str>,
    ) -> Event<'a> {
        Event {
            kind,
            reference,
            version: reference.version(),
            user: &self.user,
            pid: Some(std::process::id()),
            program: self.program.as_deref(),
            plugin,
            source: None,
            id: None,
        }
    }
}
