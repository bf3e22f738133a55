//! Finds the forms of secrets in a text.
//!
//! Every form has as many bytes as the shortest one, at least. So a form that is somewhere in a text covers one of some
//! places in it which lie a little less than that apart, and at that place there are a few bytes of the form. Only these
//! places are looked at, each without regard to the others: whether the bytes there are some of a form's beginning, by
//! a table of one bit for each hash. Most bytes of a text are so never looked at. Where the bit is set, each place where
//! a form could begin is tried.

use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Input, Match, MatchKind, StartKind};

/// The largest distance of the places that are looked at: a table for more would have too many bits set.
const STRIDE_MAX: usize = 16;
/// Bytes that are hashed where a form could begin; no form is shorter.
const START: usize = 4;

/// Finds forms.
pub(super) struct Search {
    automaton: AhoCorasick,
    /// What the first bytes of forms have at each offset below the stride.
    pieces: Bits,
    /// What forms begin with.
    starts: Bits,
    /// How many bytes of a piece are hashed.
    mask: u32,
    length: usize,
    stride: usize,
    longest: usize,
}

/// A set of hashes of four bytes.
struct Bits(Box<[u64; Self::WORDS]>);

impl Bits {
    /// Small enough for the fastest cache.
    const WORDS: usize = 1 << 11;

    fn new() -> Self {
        Self(Box::new([0; Self::WORDS]))
    }

    /// The word and the bit of a number.
    fn place(number: u32) -> (usize, u32) {
        // Knuth's multiplicative hashing; the upper bits are the mixed ones.
        let hash = number.wrapping_mul(0x9e37_79b1) >> 15;
        (hash as usize >> 6, hash & 63)
    }

    fn insert(&mut self, number: u32) {
        let (word, bit) = Self::place(number);
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << bit;
        }
    }

    fn has(&self, number: u32) -> bool {
        let (word, bit) = Self::place(number);
        self.0.get(word).is_some_and(|word| word >> bit & 1 == 1)
    }
}

/// Four bytes as a number, of which those after the end of the text are zero.
fn number(text: &[u8]) -> u32 {
    match text.first_chunk() {
        Some(four) => u32::from_le_bytes(*four),
        None => text.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)),
    }
}

impl Search {
    /// A search for forms of at least four bytes; `None` for none.
    pub(super) fn new<'a>(forms: impl Iterator<Item = &'a [u8]> + Clone) -> Option<Self> {
        let lengths = || forms.clone().map(<[u8]>::len);
        let (shortest, longest) = (lengths().min()?, lengths().max()?);
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .start_kind(StartKind::Anchored)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(forms.clone())
            .ok()?;
        // Of short forms a short piece, so that the places are not too near.
        let length = match shortest {
            0..6 => 2,
            6..9 => 3,
            _ => 4,
        };
        let mask = u32::MAX >> (32 - 8 * length);
        let stride = (shortest - length + 1).min(STRIDE_MAX);
        let (mut pieces, mut starts) = (Bits::new(), Bits::new());
        for form in forms {
            starts.insert(number(form));
            for piece in form.windows(length).take(stride) {
                pieces.insert(number(piece) & mask);
            }
        }
        Some(Self { automaton, pieces, starts, mask, length, stride, longest })
    }

    /// The bytes of the longest form.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// The first form that begins at a place or after it, the longest of those that begin there.
    pub(super) fn find(&self, text: &[u8], at: usize) -> Option<Match> {
        let mut place = at;
        // A step of four bytes or more needs no check of what is left for each of them, which would take as long again.
        for step in text.get(at..)?.chunks_exact(self.stride) {
            let Some(four) = step.first_chunk() else { break };
            if self.pieces.has(u32::from_le_bytes(*four) & self.mask)
                && let Some(found) = self.around(text, at, place)
            {
                return Some(found);
            }
            place += self.stride;
        }
        while let Some(piece) = text.get(place..).filter(|rest| rest.len() >= self.length) {
            if self.pieces.has(number(piece) & self.mask)
                && let Some(found) = self.around(text, at, place)
            {
                return Some(found);
            }
            place += self.stride;
        }
        None
    }

    /// The first form that covers a place, and does not begin before another one.
    #[cold]
    fn around(&self, text: &[u8], at: usize, place: usize) -> Option<Match> {
        // Those that begin before have covered the place before.
        let first = at.max((place + 1).saturating_sub(self.stride));
        (first..=place).find_map(|start| self.at(text, start))
    }

    /// The longest form that begins at a place.
    fn at(&self, text: &[u8], start: usize) -> Option<Match> {
        if !self.may_begin(text.get(start..)?) {
            return None;
        }
        self.automaton.find(Input::new(text).range(start..).anchored(Anchored::Yes))
    }

    /// Whether a form could begin as a text does, or with the whole text.
    pub(super) fn may_begin(&self, text: &[u8]) -> bool {
        text.len() < START || self.starts.has(number(text))
    }
}
