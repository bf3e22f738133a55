//! The references among variables.

use crate::error::Error;
use crate::secret::Secret;

use super::vaultlet::{GETTING_MANY, Vaultlet};

impl Vaultlet {
    /// Gets several secrets at once: each of them, or the error of each.
    #[doc(hidden)]
    pub fn get_each_blocking<R: AsRef<str>>(
        &self,
        references: &[R],
    ) -> Result<Vec<Result<Secret, Error>>, Error> {
        self.block(GETTING_MANY, |operations, call| {
            // The first on this thread, which would only wait otherwise.
            let Some((first, others)) = references.split_first() else { return Ok(Vec::new()) };
            let others = self.get_each(others)?;
            let first = operations.get(first.as_ref(), self.identity.as_ref(), call);
            let others = others.into_iter().map(|pending| pending.wait(call));
            Ok(std::iter::once(first).chain(others).collect())
        })
    }
}
