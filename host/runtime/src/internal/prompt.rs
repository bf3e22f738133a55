//! A component's text for people, passed on line by line without characters that a terminal would obey or
//! that nobody sees: the text came over the network.

use crate::limits;
use crate::visible::on_one_line;

/// A line that is safe to show.
pub(crate) fn plain(line: &[u8]) -> String {
    let line = line.get(..limits::PROMPT_LINE_MAX).unwrap_or(line);
    on_one_line(String::from_utf8_lossy(line).trim_end_matches(['\r', '\n'])).collect()
}
