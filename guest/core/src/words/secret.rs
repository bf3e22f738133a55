//! Text that must never appear in output.

use alloc::{borrow::ToOwned, string::String};
use core::fmt;

use crate::words::scrub::Scrubbed;

/// A token, a secret's value or a key. The memory is overwritten on drop; `Debug` is constant;
/// there is no `Display` and no `Clone`.
#[derive(Default)]
pub struct SecretString(Scrubbed<String>);

impl SecretString {
    /// Takes ownership of a text, without a copy.
    pub fn new(text: String) -> Self {
        Self(Scrubbed::new(text))
    }

    /// The text. Each use needs a reason.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_constant() {
        assert_eq!(alloc::format!("{:?}", SecretString::from("hunter2")), "[secret]");
    }
}
