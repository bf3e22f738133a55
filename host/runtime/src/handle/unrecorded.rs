//! Secrets that were read and are not given out yet: the audit has no line of them before it is known that they will be.

use crate::error::Error;
use crate::policy::{Canonical, Guard};
use crate::secret::Secret;

use super::source::Source;
use super::vaultlet::Vaultlet;

/// A secret that was read, and has to be recorded before it is given out. This is for the command line only, and no
/// part of this crate's stable interface.
#[derive(Debug)]
pub struct Unrecorded {
    secret: Secret,
    /// What the line of the audit says; `None` without a policy.
    line: Option<Line>,
}

#[derive(Debug)]
struct Line {
    reference: Canonical,
    source: Option<String>,
}

impl Unrecorded {
    pub(super) fn new(secret: Secret, reference: Canonical, source: Option<String>) -> Self {
        Self { secret, line: Some(Line { reference, source }) }
    }

    /// A secret that no policy is about.
    pub(super) fn unguarded(secret: Secret) -> Self {
        Self { secret, line: None }
    }

    /// The secret, for those who do not give it out, or record it first.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    pub(super) fn into_secret(self) -> Secret {
        self.secret
    }

    /// Whether there is a line to write.
    pub(super) fn has_line(&self) -> bool {
        self.line.is_some()
    }

    /// Records that the secret is given out.
    pub(super) fn record(&self, guard: &Guard) -> Result<(), Error> {
        let Some(Line { reference, source }) = &self.line else { return Ok(()) };
        let version = self.secret.properties().version.as_deref();
        guard.reveal(reference, None, version, source.as_deref())
    }
}

impl Source {
    /// Records that these secrets are given out. When that fails, none of them may be.
    pub(super) fn record<'a>(
        &self,
        secrets: impl IntoIterator<Item = &'a Unrecorded>,
    ) -> Result<(), Error> {
        let Some(guard) = &self.guard else { return Ok(()) };
        secrets.into_iter().try_for_each(|it| it.record(guard))
    }

    /// The secrets, once they are recorded.
    pub(super) fn recorded(&self, secrets: Vec<Unrecorded>) -> Result<Vec<Secret>, Error> {
        self.record(&secrets)?;
        Ok(secrets.into_iter().map(Unrecorded::into_secret).collect())
    }
}

impl Vaultlet {
    /// Records that these secrets are given out. When that fails, none of them may be.
    #[doc(hidden)]
    pub fn record_blocking<'a>(
        &self,
        secrets: impl IntoIterator<Item = &'a Unrecorded>,
    ) -> Result<(), Error> {
        self.current()?.source.record(secrets)
    }
}
