//! What there is in a vault, page by page.
//! <https://learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets>

use alloc::{format, string::String, vec::Vec};
use fluent_uri::Uri;

use super::{
    Properties, Reference,
    ask::{API_VERSION, About, Question, ask},
    failure,
    reference::{self, is_name, is_version},
    secret::properties,
};
use crate::{
    call::Call,
    context::Context,
    error::{Error, Id},
    limits::{MARKER, PAGES},
    settings::Settings,
    token::UserAssigned,
    words::{
        json::{self, Value},
        url::Url,
    },
};

/// Some of what there is; it may be nothing, and still not the end.
#[derive(Debug)]
pub struct Page {
    /// As the vault has them.
    pub items: Vec<Properties>,
    /// What leads to the next page.
    pub next: Option<String>,
}

/// What is listed.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its target is `/`.
    vault: Url,
    /// The secret whose versions are listed; none means the secrets themselves.
    name: Option<String>,
}

impl Listed {
    /// The secrets of a vault, which is given as in a reference, or alone in one, or by its URL.
    pub fn secrets(vault: &str, settings: &Settings) -> Result<Self, Error> {
        Ok(Self { vault: reference::vault(vault, settings)?, name: None })
    }

    /// The versions of a secret.
    pub fn versions(reference: &str, settings: &Settings) -> Result<Self, Error> {
        let Reference { vault, name, version, pointer } = Reference::parse(reference, settings)?;
        if version.is_some() || pointer.is_some() {
            return Err(reference::malformed("versions are of a whole secret, not of one version")
                .with_help("leave the version and `json=` out"));
        }
        Ok(Self { vault, name: Some(name) })
    }

    /// One item's reference.
    pub(crate) fn reference(&self, item: &Properties) -> String {
        Reference {
            vault: self.vault.clone(),
            name: item.name.clone(),
            version: item.version.clone(),
            pointer: None,
        }
        .canonical()
    }

    /// Whether it is versions.
    pub(crate) fn is_versions(&self) -> bool {
        self.name.is_some()
    }

    /// `/secrets`, `/secrets/<name>/versions`.
    fn is_path(&self, path: &str) -> bool {
        match &self.name {
            None => path == "/secrets",
            Some(name) => path
                .strip_prefix("/secrets/")
                .and_then(|rest| rest.strip_suffix("/versions"))
                .is_some_and(|other| other.eq_ignore_ascii_case(name)),
        }
    }

    fn question(&self) -> Question {
        let (vault, mut url) = (self.vault.short_authority(), self.vault.clone());
        let doing = match &self.name {
            None => {
                url.target = "/secrets".into();
                format!("listing the secrets of {vault}")
            }
            Some(name) => {
                url.target = format!("/secrets/{name}/versions");
                format!("listing the versions of secret `{name}` of {vault}")
            }
        };
        Question { url, doing, about: About::Page }
    }
}

/// Where a page is: how many were before it, whether they had anything, and the query of the link
/// to it. It is text to everyone else, who may change it: that a query leads to no other server or
/// path is why nothing more of the link is in it.
#[derive(Default)]
struct Marker<'a> {
    pages: u64,
    is_found: bool,
    query: Option<&'a str>,
}

impl<'a> Marker<'a> {
    /// `<pages>[+]?<query>`.
    fn parse(text: &'a str) -> Option<Self> {
        let (count, query) = text.split_once('?').filter(|_| text.len() <= MARKER)?;
        let (pages, is_found) = match count.strip_suffix('+') {
            Some(pages) => (pages, true),
            None => (count, false),
        };
        let pages = pages.parse().ok()?;
        is_query(query).then_some(Self { pages, is_found, query: Some(query) })
    }
}

/// Gets a page: the first, or that of a marker.
pub fn page<C: Context>(
    call: &Call<'_, C>,
    listed: &Listed,
    marker: Option<&str>,
    identity: Option<UserAssigned>,
) -> Result<Page, Error> {
    let mut question = listed.question();
    let marker = match marker.map(Marker::parse) {
        None => Marker::default(),
        Some(Some(marker)) => marker,
        Some(None) => {
            let what = format!("{}: the marker is not one that a page gave", question.doing);
            return Err(Error::new(Id::ArgumentMalformed, what));
        }
    };
    match marker.query {
        None => question.url.push("api-version", API_VERSION),
        Some(query) => {
            question.url.target.push('?');
            question.url.target.push_str(query);
        }
    }
    let response = ask(call, &question, identity)?;
    let unexpected = |why| Err(failure::unexpected(&question, &response, why));
    let (items, link) = match read(&response.body, listed) {
        Ok(read) => read,
        Err(why) => return unexpected(why),
    };
    let is_found = marker.is_found || !items.is_empty();
    let next = match link {
        None if listed.is_versions() && !is_found => {
            let what = format!("{}: there is no such secret", question.doing);
            return Err(Error::new(Id::SecretNotFound, what));
        }
        None => None,
        Some(link) => {
            let Some(query) = pinned(&link, listed) else {
                return unexpected("its next page is at another address");
            };
            let pages = marker.pages.saturating_add(1);
            if marker.query == Some(query) || pages >= PAGES {
                return unexpected("its pages do not end");
            }
            Some(format!("{pages}{}?{query}", if is_found { "+" } else { "" }))
        }
    };
    Ok(Page { items, next })
}

/// All pages, one after the other; versions newest first.
pub fn all<C: Context>(
    call: &Call<'_, C>,
    listed: &Listed,
    identity: Option<UserAssigned>,
) -> Result<Vec<Properties>, Error> {
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let page = page(call, listed, marker.as_deref(), identity.clone())?;
        for item in page.items {
            let at = match listed.is_versions() {
                // A vault has them in the order of their ids.
                true => all.partition_point(|other: &Properties| other.created >= item.created),
                false => all.len(),
            };
            all.insert(at, item);
        }
        marker = page.next;
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// The query of a link, if the rest of it is what was asked.
fn pinned<'a>(link: &'a str, listed: &Listed) -> Option<&'a str> {
    let url = Url::parse(link).ok()?;
    let (path, _) = url.target.split_once('?')?;
    let is_here = url.origin() == listed.vault.origin() && listed.is_path(path);
    let (_, query) = link.split_once('?')?;
    (is_here && link.len() <= MARKER).then_some(query)
}

/// RFC 3986's, and not nothing: that would be the first page.
fn is_query(text: &str) -> bool {
    let uri = format!("a:?{text}");
    !text.is_empty() && Uri::parse(uri.as_str()).is_ok_and(|uri| !uri.has_fragment())
}

type Read = (Vec<Properties>, Option<String>);

/// Items and link; the error says what is wrong without a word of the body.
fn read(body: &[u8], listed: &Listed) -> Result<Read, &'static str> {
    let page = json::parse(body).ok_or("its answer is not JSON")?;
    let Some(values) = page.get("value").and_then(Value::items) else {
        return Err("its answer is not a page");
    };
    let mut items = Vec::new();
    for value in values {
        let item = item(value, listed);
        items.push(item.ok_or("an item of its page is not of this vault, or malformed")?);
    }
    let next = match page.get("nextLink").filter(|link| !link.is_null()) {
        None => None,
        // Emulators end with an empty one.
        Some(link) => Some(link.as_text().ok_or("its answer is not a page")?)
            .filter(|link| !link.is_empty())
            .map(String::from),
    };
    Ok((items, next))
}

fn item(value: &Value<'_>, listed: &Listed) -> Option<Properties> {
    let url = Url::parse(&value.text("id")?).ok()?;
    if url.origin() != listed.vault.origin() {
        return None;
    }
    let id = url.target.strip_prefix("/secrets/")?;
    let (name, version) = match &listed.name {
        None => (id, None),
        Some(listed) => {
            let (name, version) = id.split_once('/')?;
            let is_it = name.eq_ignore_ascii_case(listed) && is_version(version);
            (name, Some(is_it.then(|| version.to_ascii_lowercase())?))
        }
    };
    is_name(name).then(|| Properties { name: name.into(), version, ..properties(value, &url) })
}
