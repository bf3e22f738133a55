//! Slips in references: how a malformed one is shown, and what it may have meant.

use alloc::string::String;

use crate::{
    message::find,
    words::{
        url::unescaped,
        visible::{is_visible, on_one_line},
    },
};

/// The most characters of a reference that an error shows.
const SHOWN: usize = 160;

/// A reference as an error may show it: on one line, without a user, the values of options and a fragment,
/// which may be secret. None for a text that does not look like a reference: it may be a value in the wrong
/// place.
pub(super) fn shown(text: &str) -> Option<String> {
    let text: String = on_one_line(text.trim()).take(SHOWN).collect();
    let has = |bytes: &[u8]| text.bytes().any(|b| bytes.contains(&b));
    // Letters and digits without anything between them are rather a value than a name.
    let is_word = !has(b"-_./:") && has(b"0123456789");
    let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:\\".contains(&b));
    let is_pairs = find(&text, "keyvault(").is_some() && has(b"=/");
    let is_reference = find(&text, "://").is_some() || is_pairs || is_plain;
    if text.is_empty() || is_word || !is_reference || find(&text, "eyj").is_some() {
        return None;
    }
    let end = text.bytes().position(|b| b == b'?' || b == b'#').unwrap_or(text.len());
    let (path, rest) = text.split_at_checked(end)?;
    let mut shown = String::new();
    // Only the form of App Service begins with `@`.
    match find_last(path, "@").filter(|at| *at > 0) {
        Some(at) => {
            let scheme = find_last(path.get(..at)?, "://").map_or(0, |at| at + 3);
            shown.extend([path.get(..scheme)?, "…", path.get(at..)?]);
        }
        None => shown.push_str(path),
    }
    let Some(query) = rest.strip_prefix('?') else {
        shown.push_str(if rest.is_empty() { "" } else { "#…" });
        return Some(shown);
    };
    for (at, pair) in query.split('&').enumerate() {
        shown.push(if at == 0 { '?' } else { '&' });
        shown.extend(match pair.split_once('=') {
            Some(("json", pointer)) => ["json=", pointer],
            Some((name, _)) => [name, "=…"],
            None => ["…", ""],
        });
    }
    Some(shown)
}

/// What a malformed reference may have meant.
#[derive(Default)]
pub(super) struct Meant {
    /// The vault's name or host.
    vault: String,
    /// The secret's name.
    name: String,
    version: String,
    /// The option `json=`.
    query: String,
}

impl Meant {
    /// Reads a text as somebody may have meant it: in the form of another tool, of the portal, of Azure
    /// Resource Manager, or with a mistake in one of our forms. None if it makes no sense.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = mapped(text, &|c| match c {
            '\\' => Some('/'),
            c => is_visible(c).then_some(c),
        });
        // What was escaped may look like a token, or steer a terminal, too.
        let text = unescaped(&text)
            .filter(|text| text.chars().all(is_visible) && find(text, "eyj").is_none())?;
        let mut rest = trimmed(&text);
        let is_url = find(rest, "http").is_some();
        let is_word = rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        // The name of a vault follows `/vaults/` in the id of a resource, and a URL may be in another text.
        if let Some(at) = find(rest, "/vaults/") {
            rest = rest.get(at + "/vaults/".len()..)?;
        } else if let Some(at) = find_last(rest, "://") {
            let scheme = rest.get(at.saturating_sub(8)..at).unwrap_or_default();
            ["http", "kv", "vk", "vault"].iter().find_map(|part| find(scheme, part))?;
            rest = rest.get(at + "://".len()..)?;
        } else if let Some(at) = find(rest, "keyvault(") {
            rest = rest.get(at + "keyvault(".len()..)?;
        } else if matches!(find(rest, "akv:").or_else(|| find(rest, "akv/")), Some(0)) {
            rest = rest.get("akv:".len()..)?;
        }
        let (path, query) = trimmed(rest).split_once('?').unwrap_or((trimmed(rest), ""));
        let mut meant = Self::default();
        for pair in query.split('&') {
            if let Some(("json", pointer)) = pair.split_once('=').filter(|(_, it)| !it.is_empty()) {
                let slash = if pointer.starts_with('/') { "" } else { "/" };
                meant.query = ["?json=", slash, pointer].concat();
            }
        }
        let path = path.split_once('#').map_or(path, |(path, _)| path);
        for part in path.split(['/', ';', ',']) {
            meant.add(trimmed(part), is_url)?;
        }
        // A word alone is rather the name of a secret.
        if is_word && meant.name.is_empty() {
            meant.name = core::mem::take(&mut meant.vault);
        }
        Some(meant)
    }

    /// Adds a part of a path, or a pair of the form of App Service.
    fn add(&mut self, part: &str, is_url: bool) -> Option<()> {
        let (key, value) = part.split_once('=').unwrap_or(("", part));
        let has_vault = !self.vault.is_empty();
        let marks =
            ["secrets", "secret", "versions", "version", "certificates", "certificate", "latest"];
        let is = |word: &&str| part.eq_ignore_ascii_case(word);
        if value.is_empty() || has_vault && marks.iter().any(is) {
            return Some(());
        }
        let names = |what: &str| find(key, what).is_some();
        if names("version") || has_vault && !self.name.is_empty() {
            let digits = mapped(value, &|c| (c != '-').then_some(c));
            let is_version = digits.len() == 32 && self.version.is_empty();
            self.version = is_version.then_some(digits)?;
        } else if has_vault || names("name") && !names("vault") {
            // A key is no secret.
            if ["keys", "key"].iter().any(is) {
                return None;
            }
            self.name = hyphenated(value);
        } else {
            let value = value.get(find_last(value, "@").map_or(0, |at| at + 1)..)?;
            let value = value.strip_suffix('.').unwrap_or(value);
            // `vault:name`, but `host:port`.
            let is_name = |(_, name): &(&str, &str)| {
                !is_url && name.starts_with(|c: char| c.is_ascii_alphabetic())
            };
            let (host, name) = value.split_once(':').filter(is_name).unwrap_or((value, ""));
            self.vault = mapped(host, &|c| Some(if c == '_' { '-' } else { c }));
            if !name.is_empty() {
                self.name = hyphenated(name);
            }
        }
        Some(())
    }

    /// Whether both the vault and the secret are known.
    pub(super) fn is_whole(&self) -> bool {
        !self.vault.is_empty() && !self.name.is_empty()
    }

    /// The reference that is meant, with these in place of a vault or name that is missing.
    pub(super) fn reference(&self, vault: &str, name: &str) -> String {
        let vault = if self.vault.is_empty() { vault } else { &self.vault };
        let name = if self.name.is_empty() { name } else { &self.name };
        let slash = if self.version.is_empty() { "" } else { "/" };
        ["akv://", vault, "/", name, slash, &self.version, &self.query].concat()
    }
}

/// A text with hyphens for what people write between words.
fn hyphenated(text: &str) -> String {
    mapped(text, &|c| Some(if matches!(c, '_' | '.' | ' ') { '-' } else { c }))
}

#[inline(never)]
fn mapped(text: &str, map: &dyn Fn(char) -> Option<char>) -> String {
    text.chars().filter_map(map).collect()
}

/// A text without white space, quotes and brackets around it.
#[inline(never)]
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | ')')
    })
}

/// Where a text has a word last, in any case.
#[inline(never)]
fn find_last(text: &str, word: &str) -> Option<usize> {
    text.as_bytes().windows(word.len()).rposition(|w| w.eq_ignore_ascii_case(word.as_bytes()))
}
