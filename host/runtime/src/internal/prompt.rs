//! A component's text for people, passed on line by line without characters that a terminal would obey or
//! that nobody sees: the text came over the network.

use crate::limits;
use crate::visible::is_visible;

/// A line that is safe to show.
pub(crate) fn plain(line: &[u8]) -> String {
    let line = line.get(..limits::PROMPT_LINE_MAX).unwrap_or(line);
    String::from_utf8_lossy(line).chars().filter(|c| is_visible(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_a_person_has_nothing_that_a_terminal_obeys() {
        for (line, shown) in [
            (
                "to log in, open https://x and enter the code A-1\n",
                "to log in, open https://x and enter the code A-1",
            ),
            ("a\u{1b}[31mb\u{7}c\r\n", "a[31mbc"),
            ("a\u{202e}b\u{2066}c\u{200b}d\u{ad}e\u{feff}f", "abcdef"),
            ("a\u{2028}b\u{2029}c", "abc"),
        ] {
            assert_eq!(plain(line.as_bytes()), shown, "{line:?}");
        }
    }
}
