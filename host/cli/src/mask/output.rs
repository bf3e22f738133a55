//! What a stream has masked, ready to be written.

use std::borrow::Cow;
use std::io::IoSlice;

/// Texts that are shorter are copied: a system call for more parts would take longer.
const SHORT: usize = 512;

/// Parts of the text that has come, which are not copied, with what replaces secrets between them.
#[derive(Default)]
pub(crate) struct Output<'a>(Vec<Cow<'a, [u8]>>);

impl<'a> Output<'a> {
    /// All of it, in parts.
    pub(crate) fn parts(&self) -> Vec<IoSlice<'_>> {
        self.0.iter().map(|part| IoSlice::new(part)).collect()
    }

    /// All of it, as one text.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0.concat()
    }

    /// Appends a text that outlives this.
    pub(super) fn append(&mut self, text: &'a [u8]) {
        if text.len() < SHORT {
            self.copy(text);
        } else {
            self.0.push(Cow::Borrowed(text));
        }
    }

    /// Appends a copy of a text.
    pub(super) fn copy(&mut self, text: &[u8]) {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(Cow::Owned(last)) => last.extend_from_slice(text),
            _ => self.0.push(Cow::Owned(text.to_vec())),
        }
    }

    /// Appends a copy of another output.
    pub(super) fn copy_all(&mut self, other: &Output<'_>) {
        for part in &other.0 {
            self.copy(part);
        }
    }
}
