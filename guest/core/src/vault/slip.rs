//! Slips in references: how a malformed one is shown, and what it may have meant.

use alloc::{
    borrow::{Cow, ToOwned},
    format,
    string::String,
    vec::Vec,
};

use crate::words::{
    url::unescaped,
    visible::{is_visible, on_one_line},
};

/// The most characters of a reference that an error shows.
const SHOWN: usize = 160;

/// A reference as an error may show it: on one line, without a user, the values of options and a fragment,
/// which may be secret. None for a text that does not look like a reference: it may be a value in the wrong
/// place.
pub(super) fn shown(text: &str) -> Option<String> {
    let text: String = on_one_line(text.trim()).collect();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:\\".contains(c);
    let is_reference = text.contains("://") || find(&text, "keyvault").is_some();
    // Letters and digits without anything between them are rather a value than a name.
    let is_word = !text.contains(['-', '_', '.', '/', ':']);
    let is_pairs = find(&text, "keyvault(").is_none() || text.contains(['=', '/']);
    let is_value =
        !is_pairs || text.contains("eyJ") || is_word && text.contains(|c: char| c.is_ascii_digit());
    if text.is_empty() || is_value || !(is_reference || text.chars().all(is_plain)) {
        return None;
    }
    let (path, rest) = match text.find(['?', '#']) {
        Some(at) => text.split_at_checked(at)?,
        None => (text.as_str(), ""),
    };
    // Only the form of App Service begins with `@`.
    let mut shown = match path.rsplit_once('@').filter(|(user, _)| !user.is_empty()) {
        Some((user, host)) => {
            let scheme = user.rfind("://").and_then(|at| user.get(..at + "://".len()));
            [scheme.unwrap_or_default(), "…@", host].concat()
        }
        None => path.to_owned(),
    };
    if let Some(query) = rest.strip_prefix('?') {
        for (at, pair) in query.split('&').enumerate() {
            shown.push(if at == 0 { '?' } else { '&' });
            match pair.split_once('=') {
                Some(("json", pointer)) => shown.extend(["json=", pointer]),
                Some((name, _)) => shown.extend([name, "=…"]),
                None => shown.push('…'),
            }
        }
    } else if !rest.is_empty() {
        shown.push_str("#…");
    }
    if let Some((end, _)) = shown.char_indices().nth(SHOWN) {
        shown.truncate(end);
        shown.push('…');
    }
    Some(shown)
}

/// What a malformed reference may have meant.
#[derive(Default)]
pub(super) struct Meant {
    /// The vault's name or host.
    pub(super) vault: Option<String>,
    /// The secret's name.
    pub(super) name: Option<String>,
    version: Option<String>,
    query: String,
}

impl Meant {
    /// Reads a text as somebody may have meant it: in the form of another tool, of the portal, of Azure
    /// Resource Manager, or with a mistake in one of our forms. None if it makes no sense.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text: String = text.chars().filter(|c| is_visible(*c)).collect();
        let text = match find(&text, "%2f") {
            Some(_) => unescaped(&text)?,
            None => Cow::Borrowed(text.as_str()),
        };
        let text = text.replace('\\', "/");
        let text = text.trim_matches(QUOTES);
        let is_url = find(text, "https://").or_else(|| find(text, "http://")).is_some();
        // A URL in it, or after `/vaults/` in the id of a resource, is what counts.
        let rest = match text.rsplit_once("://") {
            Some((before, _)) if !is_scheme(before) => return None,
            Some((_, rest)) if find(rest, "/vaults/").is_none() => rest,
            _ => text,
        };
        let rest = match (find(rest, "/vaults/"), find(rest, "keyvault(")) {
            (Some(at), _) => rest.get(at + "/vaults/".len()..)?,
            (None, Some(at)) => rest.get(at + "keyvault(".len()..)?,
            (None, None) => rest,
        };
        let rest = rest.trim_matches(|c| QUOTES.contains(&c) || c == ')');
        let rest = ["akv:", "akv/"].iter().find_map(|p| strip(rest, p)).unwrap_or(rest);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = path.split('#').next()?;
        let mut meant = Self { query: pointer(query), ..Self::default() };
        for part in path.split(['/', ';', ',']).map(|part| part.trim_matches(QUOTES)) {
            meant.add(part, is_url)?;
        }
        (meant.vault.is_some() || meant.name.is_some()).then_some(meant)
    }

    /// Adds a part of a path, or a pair of the form of App Service.
    fn add(&mut self, part: &str, is_url: bool) -> Option<()> {
        const MARKS: [&str; 6] =
            ["secrets", "secret", "versions", "version", "certificates", "certificate"];
        let (key, value) = part.split_once('=').unwrap_or(("", part));
        let is = |word: &str| part.eq_ignore_ascii_case(word);
        if value.is_empty() || (self.vault.is_some() && MARKS.iter().any(|mark| is(mark))) {
            return Some(());
        }
        if find(key, "version").is_some() || (self.vault.is_some() && self.name.is_some()) {
            let version = value.replace('-', "");
            return match value {
                _ if value.eq_ignore_ascii_case("latest") => Some(()),
                _ if self.version.is_some() || version.len() != 32 => None,
                _ => {
                    self.version = Some(version);
                    Some(())
                }
            };
        }
        if self.vault.is_some() || (find(key, "name").is_some() && find(key, "vault").is_none()) {
            // A key is no secret.
            if is("keys") || is("key") {
                return None;
            }
            let name = value.replace("%20", "-").replace(['_', '.', ' '], "-");
            self.name = Some(name.trim_matches('-').to_owned());
            return Some(());
        }
        let host = value.rsplit('@').next().unwrap_or(value).trim_end_matches('.');
        // `vault:name`, but `host:port`.
        let (host, name) = match host.split_once(':') {
            Some((host, name)) if !is_url && !name.starts_with(|c: char| c.is_ascii_digit()) => {
                (host, Some(name))
            }
            _ => (host, None),
        };
        self.vault = Some(host.replace('_', "-"));
        name.map_or(Some(()), |name| self.add(name, is_url))
    }

    /// The reference that is meant; a placeholder stands for a part that is missing.
    pub(super) fn reference(&self) -> String {
        // A single word is rather a secret than a vault.
        let (vault, name) = match (&self.vault, &self.name) {
            (Some(vault), Some(name)) => (vault.as_str(), name.as_str()),
            (Some(vault), None) => (vault.as_str(), "<name>"),
            (None, name) => ("<vault>", name.as_deref().unwrap_or("<name>")),
        };
        let mut text = format!("akv://{vault}/{name}");
        if let Some(version) = &self.version {
            text.push('/');
            text.push_str(version);
        }
        text.push_str(&self.query);
        text
    }

    /// The secret's name alone, if the text was a single word.
    pub(super) fn into_name(self) -> Self {
        match (self.vault, self.name) {
            (Some(word), None) if !word.contains(['.', ':', '[']) => {
                Self { vault: None, name: Some(word), ..self }
            }
            (vault, name) => Self { vault, name, version: self.version, query: self.query },
        }
    }
}

const QUOTES: [char; 7] = ['"', '\'', '`', '<', '>', '“', '”'];

/// Whether a text ends with a scheme that may mean a vault.
fn is_scheme(text: &str) -> bool {
    let word = text.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    ["http", "kv", "vk", "vault"].iter().any(|part| find(word, part).is_some())
}

/// The option `json=` of a query, with a pointer that begins with `/`.
fn pointer(query: &str) -> String {
    let pairs: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    match pairs.iter().find(|(name, _)| *name == "json") {
        Some((_, "")) | None => String::new(),
        Some((_, pointer)) => format!("?json=/{}", pointer.trim_start_matches('/')),
    }
}

/// Where a text has a word, in any case. The word is in lower case.
fn find(text: &str, word: &str) -> Option<usize> {
    text.to_ascii_lowercase().find(word)
}

/// What follows a word at the beginning of a text, in any case. The word is in lower case.
fn strip<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    find(text, word).filter(|at| *at == 0).and_then(|_| text.get(word.len()..))
}
