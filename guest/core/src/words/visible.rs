//! Characters that a person does not see and that a terminal may obey: Unicode's Cc, Cf, Zl and Zp, and the
//! other code points that are ignored by default. What others wrote is shown without them.
//! <https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing>
//!
//! The component and its host share this file, by a link, as the host does not link the core.

/// Whether a character can be seen, or is a space.
pub fn is_visible(c: char) -> bool {
    !matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}'
        | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// The characters of a text on one line: control sequences of terminals and invisible characters are left
/// out, and a control character or an end of a line is a space.
pub fn on_one_line(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut chars = text.chars();
    core::iter::from_fn(move || {
        loop {
            match chars.next()? {
                // A control sequence (ECMA-48) ends with a letter or the like.
                '\u{1b}' if chars.as_str().starts_with('[') => {
                    chars.next();
                    chars.find(|c| matches!(c, '\u{40}'..='\u{7e}' | '\n'));
                }
                c if is_visible(c) => return Some(c),
                c if c.is_control() || c.is_whitespace() => return Some(' '),
                _ => {}
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_on_one_line_as_it_was_meant() {
        for (text, shown) in [
            ("plain é 漢 👍", "plain é 漢 👍"),
            ("e\u{301}", "e\u{301}"),
            ("a\r\nb\tc\u{2028}d\u{85}e", "a  b c d e"),
            ("\u{1b}[31;1mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}", " ]0;title "),
            ("\u{1b}[", ""),
            ("a\u{202e}b\u{2066}c\u{200b}d\u{ad}e\u{feff}f\u{e0041}g", "abcdefg"),
            ("\u{0}\u{8}\u{7f}\u{9b}x", "    x"),
        ] {
            assert_eq!(on_one_line(text).collect::<String>(), shown, "{text:?}");
        }
    }
}
