//! A component's text for people, passed on line by line without control characters, which a terminal
//! would obey: the text came over the network.

use crate::limits;

/// A line that is safe to show.
pub(crate) fn plain(line: &[u8]) -> String {
    let line = line.get(..limits::PROMPT_LINE_MAX).unwrap_or(line);
    String::from_utf8_lossy(line).chars().filter(|c| !c.is_control()).collect()
}
