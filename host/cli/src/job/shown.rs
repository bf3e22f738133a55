//! Texts of a job file in messages: a URL may have a password, a token or a signature.

/// What stands for a part that is not shown.
const HIDDEN: &str = "…";
/// Schemes whose user is a container.
const OF_STORAGE: [&str; 4] = ["abfs", "abfss", "wasb", "wasbs"];
/// Options of a reference that are no values.
const OPTIONS: [&str; 3] = ["json", "as", "optional"];

/// A text for a message: URLs without their users and the values of their queries, control characters escaped.
pub(super) fn shown(text: &str) -> String {
    printable(&hidden(text, &[]))
}

/// A reference, which keeps what says which part of the secret is meant.
pub(super) fn reference(text: &str) -> String {
    printable(&hidden(text, &OPTIONS))
}

fn hidden(text: &str, kept: &[&str]) -> String {
    text.split_inclusive(char::is_whitespace).map(|word| word_hidden(word, kept)).collect()
}

/// A text without spaces.
fn word_hidden(word: &str, kept: &[&str]) -> String {
    let (head, rest) = match word.split_once("://") {
        Some((scheme, rest)) => (word.get(..scheme.len() + 3).unwrap_or_default(), rest),
        None => ("", word),
    };
    let scheme = head.trim_end_matches("://");
    let is_container = OF_STORAGE.iter().any(|it| scheme.eq_ignore_ascii_case(it));
    // A password may have any character, also those that end a server.
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) if is_user(head, user) && (!is_container || user.contains(':')) => {
            (format!("{HIDDEN}@"), rest)
        }
        _ => (String::new(), rest),
    };
    let (path, query) = match rest.find(['?', '#']) {
        Some(at) => rest.split_at_checked(at).unwrap_or((rest, "")),
        None => (rest, ""),
    };
    format!("{head}{user}{path}{}", query_hidden(query, !head.is_empty(), kept))
}

/// Whether what stands before an `@` is a user: without a scheme, one that has a password.
fn is_user(head: &str, user: &str) -> bool {
    let is_asset = user.get(..8).is_some_and(|it| it.eq_ignore_ascii_case("azureml:"));
    !head.is_empty() || user.contains(':') && !is_asset
}

/// A query, with its `?`, or a fragment.
fn query_hidden(query: &str, is_url: bool, kept: &[&str]) -> String {
    let mut all = String::new();
    for part in query.split_inclusive(['?', '#', '&', ';']) {
        let is_end = |c: char| "?#&;".contains(c);
        let inner = part.trim_end_matches(is_end);
        let end = part.get(inner.len()..).unwrap_or_default();
        match inner.split_once('=') {
            Some((name, _)) if !kept.contains(&name) => {
                all.extend([name, "=", HIDDEN]);
            }
            None if is_url && !inner.is_empty() && !kept.contains(&inner) => all.push_str(HIDDEN),
            _ => all.push_str(inner),
        }
        all.push_str(end);
    }
    all
}

/// A text with its control characters escaped. Quotes are no matter between the quotes of a message.
fn printable(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\'' | '"' | '\\') {
            all.push(c);
        } else {
            all.extend(c.escape_debug());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_neither_users_nor_values() {
        for (text, expected) in [
            ("https://u:p@a.example/x?sv=1&sig=a/b@c", "https://…@c"),
            ("https://u:p@a.example/x?sv=1&sig=s", "https://…@a.example/x?sv=…&sig=…"),
            ("https://a.example/x?s#t=u;v", "https://a.example/x?…#t=…;…"),
            ("git+https://token@github.com/a/b#c", "git+https://…@github.com/a/b#…"),
            ("https://u:p/?#w@h/x", "https://…@h/x"),
            ("abfss://data@lake.example/rows?sig=s", "abfss://data@lake.example/rows?sig=…"),
            ("abfss://data:k@lake.example/rows", "abfss://…@lake.example/rows"),
            ("u:p@h/x?sig=s", "…@h/x?sig=…"),
            ("azureml:train@latest", "azureml:train@latest"),
            ("see https://u@h/ and http://v@i/", "see https://…@h/ and http://…@i/"),
            ("inputs['x'] \"y\" what?", "inputs['x'] \"y\" what?"),
            ("a\nb\u{7}\u{202e}", "a\\nb\\u{7}\\u{202e}"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        let text = "akv://v/x?json=/a&as=file&optional&default=d";
        assert_eq!(reference(text), "akv://v/x?json=/a&as=file&optional&default=…");
    }
}
