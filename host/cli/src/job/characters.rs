//! Characters that may not stand in YAML.

use super::yaml::Place;

/// The first character that PyYAML refuses anywhere in a file: its place, and what to say of it.
pub(super) fn refused(text: &str) -> Option<(Place, String)> {
    let is_refused = |c: char| {
        c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}')
            || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    let (at, c) = text.char_indices().find(|(_, c)| is_refused(*c))?;
    let before = text.get(..at).unwrap_or_default();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let at = Place::Line { line: before.matches('\n').count() + 1, column };
    Some((at, format!("it has the character U+{:04X}", u32::from(c))))
}
