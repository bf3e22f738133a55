//! A secret that came out of the component, in a type that does not show its value.

use std::fmt;

use zeroize::{Zeroize as _, Zeroizing};

use crate::locked::Locked;

pub use crate::bindings::exports::vaultlet::keyvault::types::Properties;

/// One version of one secret.
///
/// `Debug` shows where the secret came from and never its value. The value is scrubbed from memory
/// when the secret is dropped.
pub struct Secret {
    properties: Properties,
    value: Zeroizing<String>,
    /// Keeps the value's memory from being swapped.
    locked: Option<Locked>,
}

impl Secret {
    /// A secret that did not come out of the component: from an agent, or of a test.
    #[doc(hidden)]
    pub fn new(properties: Properties, value: Zeroizing<String>) -> Self {
        Self { properties, value, locked: None }
    }

    /// Keeps the value's memory from being written to swap space for as long as there is this secret. Returns whether
    /// the system allowed it (`RLIMIT_MEMLOCK`); where it did not, the secret is the same as before.
    pub fn lock_in_memory(&mut self) -> bool {
        if self.locked.is_none() {
            self.locked = Locked::new(self.value.as_bytes());
        }
        self.locked.is_some()
    }

    /// Another secret that is the same. Not `Clone`: what copies a value says so.
    pub(crate) fn copy(&self) -> Self {
        Self::new(self.properties.clone(), self.value.clone())
    }

    /// The secret's value: at most 25,600 bytes, may be empty. With `json=` in the reference, the
    /// text that the pointer leads to.
    pub fn reveal(&self) -> &str {
        &self.value
    }

    /// Everything that is known of this version of the secret except the value.
    pub fn properties(&self) -> &Properties {
        &self.properties
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        // Before its memory may be swapped again. Otherwise the value scrubs itself.
        if self.locked.is_some() {
            self.value.zeroize();
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Properties { vault, name, version, .. } = &self.properties;
        write!(f, "Secret(akv://{vault}/{name}")?;
        if let Some(version) = version {
            write!(f, "/{version}")?;
        }
        f.write_str(")")
    }
}
