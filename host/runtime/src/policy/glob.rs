//! Patterns with `*`.

/// Whether a text is like a pattern, in which `*` is any run of characters but `/`.
pub(super) fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at_pattern, mut at_text) = (0, 0);
    // The last `*`, and where the text goes on after what it stands for.
    let mut star: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(at_pattern), text.get(at_text)) {
            (Some(b'*'), _) => {
                star = Some((at_pattern, at_text));
                at_pattern += 1;
            }
            (Some(wanted), Some(found)) if wanted == found => {
                at_pattern += 1;
                at_text += 1;
            }
            (None, None) => return true,
            // The last `*` takes one more. An earlier one need not: between two `/` the leftmost fit is as good as any.
            _ => match star {
                Some((at, end)) if text.get(end).is_some_and(|next| *next != b'/') => {
                    star = Some((at, end + 1));
                    (at_pattern, at_text) = (at + 1, end + 1);
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_run_of_characters_but_a_slash() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("a", "", false),
            ("*", "", true),
            ("*", "abc", true),
            ("*", "a/b", false),
            ("a*", "a", true),
            ("a*c", "abc", true),
            ("a*c", "abcd", false),
            ("a*c", "a/c", false),
            ("*a*b*", "xaybz", true),
            ("*a*b*", "xbya", false),
            ("*ab", "aab", true),
            ("**", "ab", true),
            ("/usr/bin/python3*", "/usr/bin/python3.11", true),
            ("/usr/bin/python3*", "/usr/bin/python3/x", false),
            ("/opt/*/bin/*", "/opt/a/bin/b", true),
            ("/opt/*/bin/*", "/opt/a/b/bin/c", false),
            ("/*b/*d", "/ab/cd", true),
            ("/*b/*d", "/abb/cdd", true),
            ("a?", "ab", false),
            ("[a]", "a", false),
        ] {
            assert_eq!(is_like(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
        // Many stars do not cost more than the product of both lengths.
        let (pattern, text) = ("a*".repeat(500) + "b", "a".repeat(2_000));
        assert!(!is_like(pattern.as_bytes(), text.as_bytes()));
    }
}
