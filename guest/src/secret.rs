//! Text that must not show.

use alloc::{borrow::ToOwned, string::String};
use core::fmt;
use serde::{Deserialize, Deserializer, de};
use zeroize::Zeroizing;

/// A token, a secret's value or a key. Scrubbed when dropped; `Debug` is constant; there is no
/// `Display`, `Clone` or `Serialize`.
#[derive(Default)]
pub struct SecretString(Zeroizing<String>);

impl SecretString {
    /// Takes ownership; no copy is made.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text. Each use is a decision.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SecretString {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl From<String> for SecretString {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<'de> Deserialize<'de> for SecretString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = SecretString;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretString, E> {
                Ok(text.into())
            }

            // The default would put the value into the error's text.
            fn visit_string<E: de::Error>(self, text: String) -> Result<SecretString, E> {
                Ok(text.into())
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_constant() {
        assert_eq!(alloc::format!("{:?}", SecretString::from("hunter2")), "[secret]");
    }
}
