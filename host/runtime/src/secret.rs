//! A secret that came out of the component, in a type that does not show its value.

use std::fmt;

use zeroize::Zeroizing;

pub use crate::bindings::exports::vaultlet::keyvault::types::Properties;

/// One version of one secret.
///
/// `Debug` shows where the secret came from and never its value. The value is scrubbed from memory
/// when the secret is dropped.
pub struct Secret {
    properties: Properties,
    value: Zeroizing<String>,
}

impl Secret {
    pub(crate) fn new(properties: Properties, value: Zeroizing<String>) -> Self {
        Self { properties, value }
    }

    /// Another secret that is the same. Not `Clone`: what copies a value says so.
    pub(crate) fn copy(&self) -> Self {
        Self { properties: self.properties.clone(), value: self.value.clone() }
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
