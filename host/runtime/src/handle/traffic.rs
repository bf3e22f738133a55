//! How many requests a handle has sent.

use crate::net::Traffic;

use super::vaultlet::Vaultlet;

impl Vaultlet {
    /// Counts the requests to vaults until now. Clones of a handle share one count; in a child of `fork` it begins
    /// anew.
    pub fn traffic(&self) -> Traffic {
        let operations = self.current().ok().and_then(|process| process.source.loaded());
        operations.map_or_else(Traffic::default, |operations| operations.client.traffic())
    }
}
