//! Masking: values in a program's output are replaced by the names of their variables, in every form in
//! which programs print them, and however the output is split into writes.

#[cfg(test)]
mod corpus;
mod forms;
mod output;
mod search;
mod stream;

use aho_corasick::Match;

use forms::{SHORTEST, Text};
use search::Search;

pub(crate) use output::Output;
pub(crate) use stream::{PIECE, Stream};

/// Values to mask, in all their forms. Has no `Debug`: it holds secrets.
#[derive(Default)]
pub(crate) struct Mask {
    /// The forms in order, each with the number of its replacement.
    forms: Vec<(Text, usize)>,
    replacements: Vec<String>,
    /// Names of values that are too short to be masked.
    short: Vec<String>,
    search: Option<Search>,
}

impl Mask {
    /// Values with the names of their variables. Of equal values the first name is shown.
    pub(crate) fn new<'a>(values: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut mask = Self::default();
        for (name, value) in values {
            let number = mask.replacements.len();
            mask.replacements.push(format!("<{name}>"));
            if value.len() < SHORTEST && !value.is_empty() {
                mask.short.push(name.to_owned());
            }
            mask.forms.extend(forms::forms(value).into_iter().map(|form| (form, number)));
        }
        mask.short.sort_unstable();
        mask.short.dedup();
        mask.forms.retain(|(form, _)| form.len() >= SHORTEST);
        mask.forms.sort_by(|(a, first), (b, second)| a.as_slice().cmp(b).then(first.cmp(second)));
        mask.forms.dedup_by(|(next, _), (kept, _)| **next == **kept);
        mask.search = Search::new(mask.forms.iter().map(|(form, _)| form.as_slice()));
        mask
    }

    /// Whether a value is too short to be masked.
    pub(crate) fn is_too_short(value: &[u8]) -> bool {
        value.len() < SHORTEST
    }

    /// Names of values that are too short to be masked.
    pub(crate) fn short(&self) -> &[String] {
        &self.short
    }

    /// The bytes of the longest form.
    fn longest(&self) -> usize {
        self.search.as_ref().map_or(0, Search::longest)
    }

    /// The first form at or after a place, the longest of those that begin there.
    fn find(&self, text: &[u8], at: usize) -> Option<Match> {
        self.search.as_ref()?.find(text, at)
    }

    fn replacement(&self, found: Match) -> &[u8] {
        let number = self.forms.get(found.pattern().as_usize()).map(|(_, number)| *number);
        let name = number.and_then(|number| self.replacements.get(number));
        name.map(String::as_bytes).unwrap_or_default()
    }

    /// The first place, at or after this one, from which the rest of the text could begin a form.
    fn open_end(&self, text: &[u8], from: usize) -> usize {
        let Some(search) = &self.search else { return text.len() };
        let from = from.max((text.len() + 1).saturating_sub(search.longest()));
        let begins = |at: &usize| {
            let rest = text.get(*at..).unwrap_or_default();
            search.may_begin(rest) && self.begins(rest)
        };
        (from..text.len()).find(begins).unwrap_or(text.len())
    }

    /// Whether a form begins with this text, and goes on after it.
    fn begins(&self, text: &[u8]) -> bool {
        let next = self.forms.partition_point(|(form, _)| form.as_slice() <= text);
        self.forms.get(next).is_some_and(|(form, _)| form.starts_with(text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(super) fn masked(mask: &Mask, pieces: &[&[u8]]) -> Vec<u8> {
        let mut stream = Stream::new(mask);
        let mut out = Output::default();
        pieces.iter().for_each(|piece| stream.push(piece, &mut out));
        stream.flush(&mut out);
        out.into_bytes()
    }

    /// Looks at each place for the longest form that begins there.
    fn naively_masked(mask: &Mask, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text;
        while let Some((first, after)) = rest.split_first() {
            let here = mask.forms.iter().filter(|(form, _)| rest.starts_with(form));
            match here.max_by_key(|(form, _)| form.len()) {
                Some((form, number)) => {
                    out.extend(mask.replacements.get(*number).unwrap().as_bytes());
                    rest = rest.get(form.len()..).unwrap();
                }
                None => {
                    out.push(*first);
                    rest = after;
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn any_split_is_masked_as_the_whole(
            values in prop::collection::vec("[ab\"'é\\\\ ]{3,9}", 1..4),
            parts in prop::collection::vec(
                ("[ab\"'é\\\\ %]{0,3}", any::<prop::sample::Index>(), 0_usize..12),
                0..12,
            ),
            splits in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let mask = Mask::new(values.iter().map(|value| ("S", value.as_bytes())));
            let mut text = Vec::new();
            for (plain, form, cut) in parts {
                text.extend(plain.as_bytes());
                if !mask.forms.is_empty() {
                    let (form, _) = form.get(&mask.forms);
                    text.extend(form.get(..form.len().saturating_sub(cut)).unwrap());
                }
            }
            let mut splits: Vec<_> = splits.iter().map(|it| it.index(text.len() + 1)).collect();
            splits.sort_unstable();
            let mut pieces = Vec::new();
            let mut rest = text.as_slice();
            for split in splits {
                let (piece, after) = rest.split_at(split - (text.len() - rest.len()));
                pieces.push(piece);
                rest = after;
            }
            pieces.push(rest);
            prop_assert_eq!(masked(&mask, &pieces), naively_masked(&mask, &text));
        }
    }

    #[test]
    fn lines_of_a_value_are_masked_and_short_ones_are_not() {
        let value = b"-----BEGIN KEY-----\r\nfirst line of it\r\nshort\r\n-----END KEY-----\n";
        let mask = Mask::new([("KEY", value.as_slice()), ("A", b"abc"), ("NONE", b"")]);
        assert_eq!(mask.short(), ["A"]);
        let out = masked(&mask, &[b"> first line of it <\nshort abc\n-----BEGIN KEY-----\n"]);
        assert_eq!(out, b"> <KEY> <\nshort abc\n-----BEGIN KEY-----\n");
        assert!(Mask::new([("A", b"abc".as_slice())]).search.is_none());
    }

    #[test]
    fn what_could_begin_a_secret_is_held_back_and_nothing_else() {
        let mask = Mask::new([("S", b"secret-value".as_slice())]);
        let mut stream = Stream::new(&mask);
        let mut all = Vec::new();
        for (piece, shown, held) in [
            ("plain ", "plain ", 0),
            ("se", "plain ", 2),
            ("cret", "plain ", 6),
            ("x", "plain secretx", 0),
            ("secret-valu", "plain secretx", 11),
            ("e secret", "plain secretx<S> ", 6),
        ] {
            let mut out = Output::default();
            stream.push(piece.as_bytes(), &mut out);
            all.extend(out.into_bytes());
            assert_eq!((str::from_utf8(&all).unwrap(), stream.held()), (shown, held), "{piece}");
        }
        let mut out = Output::default();
        stream.flush(&mut out);
        all.extend(out.into_bytes());
        assert_eq!(all, b"plain secretx<S> secret");
    }
}
