//! One stream of output, which comes in pieces.

use zeroize::Zeroizing;

use super::Mask;

/// Masks a stream.
pub(crate) struct Stream<'a> {
    mask: &'a Mask,
    /// The end of what has come, which could begin a secret.
    held: Zeroizing<Vec<u8>>,
}

impl<'a> Stream<'a> {
    pub(crate) fn new(mask: &'a Mask) -> Self {
        Self { mask, held: Zeroizing::default() }
    }

    /// A stream of which these bytes were held back, by another mask perhaps.
    pub(crate) fn resumed(mask: &'a Mask, held: Zeroizing<Vec<u8>>) -> Self {
        Self { mask, held }
    }

    /// The bytes that are held back, for [`Stream::resumed`].
    pub(crate) fn into_held(self) -> Zeroizing<Vec<u8>> {
        self.held
    }

    /// How many bytes are held back.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// Takes a piece, and appends what is certain to the output.
    pub(crate) fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        if self.held.is_empty() {
            let open = self.replace(piece, out, |text, from| self.mask.open_end(text, from));
            self.held = piece.get(open..).unwrap_or_default().to_vec().into();
            return;
        }
        let mut text = Zeroizing::new(Vec::with_capacity(self.held.len() + piece.len()));
        text.extend_from_slice(&self.held);
        text.extend_from_slice(piece);
        let open = self.replace(&text, out, |text, from| self.mask.open_end(text, from));
        self.held = text.get(open..).unwrap_or_default().to_vec().into();
    }

    /// Appends what is held back to the output: no more is coming, or has come for long enough.
    pub(crate) fn flush(&mut self, out: &mut Vec<u8>) {
        let text = std::mem::take(&mut self.held);
        self.replace(&text, out, |text, _| text.len());
    }

    /// Appends the text before its open end, masked; returns where that end begins.
    fn replace(
        &self,
        text: &[u8],
        out: &mut Vec<u8>,
        open_end: impl Fn(&[u8], usize) -> usize,
    ) -> usize {
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let mut at = 0;
        let mut open = open_end(text, at);
        // A form that begins before the open end is whole; one that begins there may still become longer.
        while let Some(found) = self.mask.find(text, at).filter(|found| found.start() < open) {
            out.extend_from_slice(part(at, found.start()));
            out.extend_from_slice(self.mask.replacement(found));
            at = found.end();
            if open < at {
                open = open_end(text, at);
            }
        }
        out.extend_from_slice(part(at, open));
        open
    }
}
