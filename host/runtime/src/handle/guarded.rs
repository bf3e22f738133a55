//! Secrets under the policy of a handle, if it has one: what is not allowed is denied before an instance is leased, and
//! what is given out is recorded first.

use std::sync::Arc;

use crate::call::Call;
use crate::error::Error;
use crate::policy::{Canonical, EventKind, Guard, settings_of};
use crate::secret::Secret;
use crate::token::{TokenRequest, UserAssigned};

use super::operations::Operations;
use super::vaultlet::Vaultlet;

impl Operations {
    /// Gets a secret.
    pub(super) fn get(
        &self,
        reference: &str,
        identity: Option<&UserAssigned>,
        call: &Arc<Call>,
    ) -> Result<Secret, Error> {
        let Some(guard) = &self.guard else { return self.read(reference, identity, call) };
        let reference = guard.canonical(reference)?;
        let secret = self.read_allowed(guard, &reference, None, identity, call)?;
        let source = self.source(guard, &reference, identity, call);
        let version = secret.properties().version.as_deref();
        guard.reveal(&reference, None, version, source.as_deref())?;
        Ok(secret)
    }

    fn read_allowed(
        &self,
        guard: &Guard,
        reference: &Canonical,
        plugin: Option<&str>,
        identity: Option<&UserAssigned>,
        call: &Arc<Call>,
    ) -> Result<Secret, Error> {
        guard.check(reference, plugin)?;
        // The reference that was compared is the one that is sent.
        self.read(reference.as_str(), identity, call)
            .inspect_err(|error| guard.note(EventKind::Failed, reference, plugin, error))
    }

    /// The source of the token by which a secret was read just now, for the audit. The token is in the cache.
    fn source(
        &self,
        guard: &Guard,
        reference: &Canonical,
        identity: Option<&UserAssigned>,
        call: &Arc<Call>,
    ) -> Option<String> {
        let resource = reference.resource().filter(|_| guard.has_audit())?;
        let request =
            TokenRequest { resource: Some(resource.to_owned()), ..TokenRequest::default() };
        let token = self.token(request, identity.cloned(), call).ok()?;
        Some(token.source().to_owned())
    }
}

impl Vaultlet {
    /// The canonical form of a reference under the settings of this handle: what policies compare. No network.
    pub fn canonical(&self, reference: &str) -> Result<Canonical, Error> {
        let operations = &self.current()?.operations;
        match &operations.guard {
            Some(guard) => guard.canonical(reference),
            None => Canonical::read(reference, &settings_of(&operations.settings)?),
        }
    }

    /// Fails if the policy does not allow one of these references, so that none of them is read.
    pub(super) fn check<R: AsRef<str>>(&self, references: &[R]) -> Result<(), Error> {
        let Some(guard) = &self.current()?.operations.guard else { return Ok(()) };
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
        let (identity, plugin) = (self.identity.clone(), plugin.to_owned());
        let pending = self.pending("getting a secret", move |operations, call| {
            let identity = identity.as_ref();
            let Some(guard) = &operations.guard else {
                return Ok((operations.read(reference.as_str(), identity, call)?, None));
            };
            let secret =
                operations.read_allowed(guard, &reference, Some(&plugin), identity, call)?;
            Ok((secret, operations.source(guard, &reference, identity, call)))
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
        match &self.current()?.operations.guard {
            Some(guard) => guard.reveal(reference, Some(plugin), version, source),
            None => Ok(()),
        }
    }

    /// Records that a plugin's grants do not have what it asks for.
    pub(crate) fn note_not_granted(&self, reference: &Canonical, plugin: &str, error: &Error) {
        if let Ok(process) = self.current()
            && let Some(guard) = &process.operations.guard
        {
            guard.note(EventKind::Denied, reference, Some(plugin), error);
        }
    }

    /// The canonical form of a vault under the settings of this handle.
    pub(crate) fn canonical_vault(&self, vault: &str) -> Result<String, Error> {
        use vaultlet_core::vault::reference;
        let settings = settings_of(&self.current()?.operations.settings)?;
        Ok(reference::canonical(&reference::vault(vault, &settings)?))
    }
}
