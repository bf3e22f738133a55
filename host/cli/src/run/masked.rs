//! The values that are masked in a command's output: those that it was given, and those that it was given before.

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Write as _};

use zeroize::Zeroizing;

use crate::mask::Mask;

/// Values with the names of their variables.
type Values = Vec<(String, Zeroizing<String>)>;

/// How many changes ago a value may have been replaced that is masked still.
const CHANGES: usize = 64;

/// Values to mask. Has no `Debug`: it holds secrets.
pub(super) struct Masked {
    first: Values,
    /// Those of each change.
    later: VecDeque<Values>,
    /// Variables whose values are too short, as was said already.
    short: BTreeSet<String>,
}

impl Masked {
    pub(super) fn new(first: Values) -> Self {
        let mut masked = Self { first: Vec::new(), later: VecDeque::new(), short: BTreeSet::new() };
        masked.tell(&first);
        masked.first = first;
        masked
    }

    /// Masks these values, too.
    pub(super) fn add(&mut self, values: Values) {
        self.tell(&values);
        self.later.push_back(values);
        if self.later.len() > CHANGES {
            self.later.pop_front();
        }
    }

    /// Whether there is nothing to mask.
    pub(super) fn is_empty(&self) -> bool {
        self.all().all(|(_, text)| Mask::is_too_short(text.as_bytes()))
    }

    pub(super) fn mask(&self) -> Mask {
        Mask::new(self.all().map(|(name, text)| (name.as_str(), text.as_bytes())))
    }

    fn all(&self) -> impl Iterator<Item = &(String, Zeroizing<String>)> {
        self.first.iter().chain(self.later.iter().flatten())
    }

    /// Names each variable once whose value is too short to be masked.
    fn tell(&mut self, values: &Values) {
        let is_short = |text: &str| !text.is_empty() && Mask::is_too_short(text.as_bytes());
        let short: BTreeSet<_> =
            values.iter().filter(|(_, text)| is_short(text)).map(|(name, _)| name).collect();
        for name in short {
            if self.short.insert(name.clone()) {
                let _ = writeln!(
                    io::stderr(),
                    "vaultlet: the value of `{name}` is too short to be masked in output"
                );
            }
        }
    }
}
