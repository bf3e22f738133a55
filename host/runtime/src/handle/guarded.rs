//! Secrets under the policy of a handle, if it has one: what is not allowed is denied before an instance is leased, and
//! what is given out is recorded first.

use std::sync::Arc;
use std::time::Duration;

use crate::call::Call;
use crate::error::Error;
use crate::policy::{Canonical, EventKind, Guard};
use crate::secret::Secret;
use crate::token::TokenRequest;

use super::source::{Asker, Source};
use super::unrecorded::Unrecorded;
use super::vaultlet::Vaultlet;

/// How the agent is called in the audit, where a source of credentials is otherwise.
const AGENT: &str = "agent";

impl Source {
    /// Gets a secret.
    pub(super) fn get(
        &self,
        reference: &str,
        asker: &Asker,
        call: &Arc<Call>,
    ) -> Result<Secret, Error> {
        let secret = self.get_unrecorded(reference, asker, call)?;
        self.record([&secret])?;
        Ok(secret.into_secret())
    }

    /// Gets a secret, which must be recorded before it is given out.
    pub(super) fn get_unrecorded(
        &self,
        reference: &str,
        asker: &Asker,
        call: &Arc<Call>,
    ) -> Result<Unrecorded, Error> {
        let Some(guard) = &self.guard else {
            return Ok(Unrecorded::unguarded(self.read(reference, asker, call)?.0));
        };
        let reference = guard.canonical(reference)?;
        let (secret, source) = self.read_allowed(guard, &reference, None, asker, call)?;
        Ok(Unrecorded::new(secret, reference, source))
    }

    /// Waits until a secret has another version than this one; `None` when it has not within this time.
    pub(super) fn changed(
        &self,
        reference: &str,
        version: &str,
        within: Duration,
        call: &Call,
    ) -> Result<Option<Secret>, Error> {
        let Some(guard) = &self.guard else {
            return self.next_version(reference, version, within, call);
        };
        let reference = guard.canonical(reference)?;
        guard.check(&reference, None)?;
        let changed = self.next_version(reference.as_str(), version, within, call);
        if let Some(secret) = changed.as_ref().ok().and_then(Option::as_ref) {
            let version = secret.properties().version.as_deref();
            guard.reveal(&reference, None, version, Some(AGENT))?;
        }
        changed
    }

    /// A secret, and the source for the audit.
    fn read_allowed(
        &self,
        guard: &Guard,
        reference: &Canonical,
        plugin: Option<&str>,
        asker: &Asker,
        call: &Arc<Call>,
    ) -> Result<(Secret, Option<String>), Error> {
        guard.check(reference, plugin)?;
        // The reference that was compared is the one that is sent.
        let (secret, is_by_agent) = self
            .read(reference.as_str(), asker, call)
            .inspect_err(|error| guard.note(EventKind::Failed, reference, plugin, error))?;
        let source = match is_by_agent {
            true => Some(AGENT.to_owned()),
            false => self.source_of_token(guard, reference, asker, call),
        };
        Ok((secret, source))
    }

    /// The source of the token by which a secret was read just now, for the audit. The token is in the cache.
    fn source_of_token(
        &self,
        guard: &Guard,
        reference: &Canonical,
        asker: &Asker,
        call: &Arc<Call>,
    ) -> Option<String> {
        let resource = reference.resource().filter(|_| guard.has_audit())?;
        let request =
            TokenRequest { resource: Some(resource.to_owned()), ..TokenRequest::default() };
        let token = self.operations().ok()?.token(request, asker.identity.clone(), call).ok()?;
        Some(token.source().to_owned())
    }
}

impl Vaultlet {
    /// The canonical form of a reference under the settings of this handle: what policies compare. No network.
    pub fn canonical(&self, reference: &str) -> Result<Canonical, Error> {
        Canonical::read(reference, self.current()?.source.known()?)
    }

    /// Fails if the policy does not allow one of these references, so that none of them is read.
    pub(super) fn check<R: AsRef<str>>(&self, references: &[R]) -> Result<(), Error> {
        let Some(guard) = &self.current()?.source.guard else { return Ok(()) };
        for reference in references {
            guard.check(&guard.canonical(reference.as_ref())?, None)?;
        }
        Ok(())
    }
}

#[cfg(feature = "plugins")]
impl Vaultlet {
    /// Gets a secret for a plugin, which is not given its value yet. The second is the source for the audit.
    pub(crate) async fn get_for_plugin(
        &self,
        reference: Canonical,
        plugin: &str,
    ) -> Result<(Secret, Option<String>), Error> {
        let (asker, plugin) = (self.asker(), plugin.to_owned());
        let pending = self.pending("getting a secret", move |source, call| {
            let Some(guard) = &source.guard else {
                return Ok((source.read(reference.as_str(), &asker, call)?.0, None));
            };
            source.read_allowed(guard, &reference, Some(&plugin), &asker, call)
        });
        pending?.await
    }

    /// Records that a plugin is given a value, which it must not be when this fails.
    pub(crate) fn reveal_to_plugin(
        &self,
        reference: &Canonical,
        plugin: &str,
        version: Option<&str>,
        source: Option<&str>,
    ) -> Result<(), Error> {
        match &self.current()?.source.guard {
            Some(guard) => guard.reveal(reference, Some(plugin), version, source),
            None => Ok(()),
        }
    }

    /// Records that a plugin's grants do not have what it asks for.
    pub(crate) fn note_not_granted(&self, reference: &Canonical, plugin: &str, error: &Error) {
        if let Ok(process) = self.current()
            && let Some(guard) = &process.source.guard
        {
            guard.note(EventKind::Denied, reference, Some(plugin), error);
        }
    }

    /// The canonical form of a vault under the settings of this handle.
    pub(crate) fn canonical_vault(&self, vault: &str) -> Result<String, Error> {
        use vaultlet_core::vault::reference;
        let vault = reference::vault(vault, self.current()?.source.known()?)?;
        Ok(reference::canonical(&vault))
    }
}
