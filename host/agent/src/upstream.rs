//! Where the cache gets secrets from.

use vaultlet_host::{Error, Secret, Vaultlet};

/// A source of secrets: a handle, or a simulation of many nodes.
pub trait Upstream: Send + Sync + 'static {
    /// Reads a whole secret by its canonical reference, which has no pointer and no options. The time that this may
    /// take is the source's own to limit; dropping the future ends the read.
    fn get(&self, reference: &str) -> impl Future<Output = Result<Secret, Error>> + Send;
}

impl Upstream for Vaultlet {
    async fn get(&self, reference: &str) -> Result<Secret, Error> {
        Self::get(self, reference).await
    }
}
