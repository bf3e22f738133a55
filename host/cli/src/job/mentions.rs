//! References within a text that is no reference as a whole: a command, as a shell would split it, or prose.

use vaultlet_core::settings::{Cloud, Settings};
use vaultlet_core::vault::Reference;

/// What the forms of a reference begin with.
const AKV: &str = "akv://";
const URL: &str = "https://";
const APP_SERVICE: &str = "@Microsoft.KeyVault(";
/// What ends a reference in a shell's or another language's text.
const ENDS: [char; 13] = ['\'', '"', '`', '(', ')', '<', '>', '|', ';', ',', '\\', '{', '}'];
/// What stands after a reference that is put together with more.
const GOES_ON: [char; 8] = ['\'', '"', '`', '{', '<', '$', '%', '('];

/// The references in a text, each once, in their order.
pub(super) fn within(text: &str, settings: &Settings) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, reference) = match first(rest) {
            Some(part) => part,
            None => (rest.chars().next().map_or(1, char::len_utf8), None),
        };
        let reference = reference.filter(|it| !begins(it, URL) || is_secret_url(it, settings));
        found.extend(reference.filter(|it| !found.iter().any(|other| other == it)).map(Into::into));
        at += length;
    }
    found
}

/// Whether a URL is that of a secret at a vault of a known cloud.
pub(super) fn is_secret_url(text: &str, settings: &Settings) -> bool {
    // Options of a reference do not change what it names.
    let name = text.split('?').next().unwrap_or_default();
    begins(text, URL)
        && Reference::parse(name, settings).is_ok_and(|it| Cloud::of_vault(&it.vault).is_some())
}

/// Whether a text begins as nothing but a reference does.
pub(super) fn is_meant(text: &str) -> bool {
    begins(text, AKV) || begins(text, APP_SERVICE)
}

fn begins(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// What a text begins with, if it is in the form of a reference: its length, and the reference, unless a shell
/// puts it together of what is not known here.
fn first(text: &str) -> Option<(usize, Option<&str>)> {
    if begins(text, APP_SERVICE) {
        let end = text.find(')')? + 1;
        let whole = text.get(..end)?;
        return Some((end, (!whole.contains(['$', '\n', '{'])).then_some(whole)));
    }
    let start = [AKV, URL].into_iter().find(|it| begins(text, it))?;
    let (name, after) = text.split_at_checked(end(text))?;
    let whole = name.trim_end_matches(['.', ',', ':', '!', '?', ']', '*']);
    let is_part = whole.contains('$') || whole.ends_with('/') && after.starts_with(GOES_ON);
    let is_whole = !is_part && whole.get(start.len()..).is_some_and(|it| it.contains('/'));
    Some((name.len().max(start.len()), is_whole.then_some(whole)))
}

/// Where a reference ends. Its options may have characters that its name has not.
fn end(text: &str) -> usize {
    let mut is_option = false;
    for (at, c) in text.char_indices() {
        is_option |= c == '?';
        let is_and =
            c == '&' && (!is_option || text.get(at + 1..).is_some_and(|it| it.starts_with('&')));
        if c.is_whitespace() || ENDS.contains(&c) || is_and || !(is_option || c.is_ascii()) {
            return at;
        }
    }
    text.len()
}

/// The names of the vaults that a text mentions, also where the name of the secret is not known.
#[cfg(feature = "dev")]
pub(super) fn vaults(text: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let mut vaults = Vec::new();
    for (start, may_be_name) in [("akv://", true), ("vaultname=", true), (URL, false)] {
        for (at, _) in lower.match_indices(start) {
            let rest = lower.get(at + start.len()..).unwrap_or_default();
            let is_end = |c: char| !(c.is_ascii_alphanumeric() || "-.@:".contains(c));
            let server = rest.split(is_end).next().unwrap_or_default();
            let host = server.rsplit('@').next().unwrap_or_default();
            let host = host.split(':').next().unwrap_or_default();
            vaults.extend(match host.split_once('.') {
                None => may_be_name.then(|| host.to_owned()),
                Some((name, domain)) => Cloud::ALL
                    .iter()
                    .any(|it| it.suffix() == domain.trim_end_matches('.'))
                    .then(|| name.to_owned()),
            });
        }
    }
    vaults
}
