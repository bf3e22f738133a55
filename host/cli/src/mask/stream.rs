//! One stream of output, which comes in pieces.

use std::time::Duration;

use zeroize::Zeroizing;

use super::{Mask, Output};

/// Bytes to read at once.
pub(crate) const PIECE: usize = 256 << 10;
/// Fewer bytes that could begin a secret are held back for a while only.
const FEW: usize = 12;
/// The time for which they are.
const WHILE: Duration = Duration::from_millis(50);

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

    /// How long to wait for more until what is held back is flushed; for ever, if it is much or nothing.
    pub(crate) fn patience(&self) -> Option<Duration> {
        (1..FEW).contains(&self.held()).then_some(WHILE)
    }

    /// Takes a piece, and appends what is certain to the output.
    pub(crate) fn push<'p>(&mut self, piece: &'p [u8], out: &mut Output<'p>) {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            self.take(piece, out);
            return;
        }
        // As much of the piece as could end what the held bytes begin; to copy all of it would take longer than
        // everything else.
        let first = piece.get(..self.mask.longest()).unwrap_or(piece);
        let mut text = Zeroizing::new(Vec::with_capacity(held.len() + first.len()));
        text.extend_from_slice(&held);
        text.extend_from_slice(first);
        if first.len() == piece.len() {
            let mut own = Output::default();
            self.take(&text, &mut own);
            out.copy_all(&own);
            return;
        }
        let mut at = 0;
        while let Some(found) = self.mask.find(&text, at).filter(|it| it.start() < held.len()) {
            out.copy(text.get(at..found.start()).unwrap_or_default());
            out.copy(self.mask.replacement(found));
            at = found.end();
        }
        out.copy(text.get(at..held.len()).unwrap_or_default());
        let rest = piece.get(at.saturating_sub(held.len())..).unwrap_or_default();
        self.take(rest, out);
    }

    fn take<'t>(&mut self, text: &'t [u8], out: &mut Output<'t>) {
        let open = self.replace(text, out, |text, from| self.mask.open_end(text, from));
        self.held = text.get(open..).unwrap_or_default().to_vec().into();
    }

    /// Appends what is held back to the output: no more is coming, or has come for long enough.
    pub(crate) fn flush(&mut self, out: &mut Output<'_>) {
        let text = std::mem::take(&mut self.held);
        let mut own = Output::default();
        self.replace(&text, &mut own, |text, _| text.len());
        out.copy_all(&own);
    }

    /// Appends the text before its open end, masked; returns where that end begins.
    fn replace<'t>(
        &self,
        text: &'t [u8],
        out: &mut Output<'t>,
        open_end: impl Fn(&[u8], usize) -> usize,
    ) -> usize {
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let mut at = 0;
        let mut open = open_end(text, at);
        // A form that begins before the open end is whole; one that begins there may still become longer.
        while let Some(found) = self.mask.find(text, at).filter(|found| found.start() < open) {
            out.append(part(at, found.start()));
            out.copy(self.mask.replacement(found));
            at = found.end();
            if open < at {
                open = open_end(text, at);
            }
        }
        out.append(part(at, open));
        open
    }
}
