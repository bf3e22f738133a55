//! Listing secrets and versions, page by page.
//! <https://learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets>

use alloc::{format, string::String, vec::Vec};
use fluent_uri::Uri;

use super::{
    Properties, Reference, client,
    reference::{self, is_name, is_version},
    request::{API_VERSION, RequestKind, VaultRequest},
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

/// A page of a listing. A page without items need not be the last one.
#[derive(Debug)]
pub struct Page {
    /// The items, in the vault's order.
    pub items: Vec<Properties>,
    /// The marker of the next page.
    pub next: Option<String>,
}

/// What to list: the secrets of a vault, or the versions of a secret.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The vault; the target of the URL is `/`.
    vault: Url,
    /// The secret whose versions are listed; none means the secrets themselves.
    name: Option<String>,
}

impl Listed {
    /// The secrets of a vault: `<vault>` as in a reference, `akv://<vault>`, or the vault's URL.
    pub fn secrets(vault: &str, settings: &Settings) -> Result<Self, Error> {
        Ok(Self { vault: reference::vault(vault, settings)?, name: None })
    }

    /// The versions of the secret of a reference.
    pub fn versions(reference: &str, settings: &Settings) -> Result<Self, Error> {
        let Reference { vault, name, version, pointer } = Reference::parse(reference, settings)?;
        if version.is_some() || pointer.is_some() {
            return Err(reference::malformed("versions are of a whole secret, not of one version")
                .with_help("leave the version and `json=` out"));
        }
        Ok(Self { vault, name: Some(name) })
    }

    /// The reference of an item.
    pub(crate) fn reference(&self, item: &Properties) -> String {
        Reference {
            vault: self.vault.clone(),
            name: item.name.clone(),
            version: item.version.clone(),
            pointer: None,
        }
        .canonical()
    }

    /// Whether versions are listed.
    pub(crate) fn is_versions(&self) -> bool {
        self.name.is_some()
    }

    /// Whether a path is that of this listing: `/secrets`, or `/secrets/<name>/versions`.
    fn is_path(&self, path: &str) -> bool {
        match &self.name {
            None => path == "/secrets",
            Some(name) => path
                .strip_prefix("/secrets/")
                .and_then(|rest| rest.strip_suffix("/versions"))
                .is_some_and(|other| other.eq_ignore_ascii_case(name)),
        }
    }

    fn request(&self) -> VaultRequest<'_> {
        let (target, kind) = match &self.name {
            None => ("/secrets".into(), RequestKind::Secrets),
            Some(name) => (format!("/secrets/{name}/versions"), RequestKind::Versions(name)),
        };
        VaultRequest { url: Url { target, host: self.vault.host.clone(), ..self.vault }, kind }
    }
}

/// The position of a page: the number of pages before it, whether they had any items, and the query
/// of the link to it. Callers hold a marker as text and may change it; as it has only the query of
/// the link, it cannot lead to another server or path.
#[derive(Default)]
struct Marker<'a> {
    pages: u64,
    is_found: bool,
    query: Option<&'a str>,
}

impl<'a> Marker<'a> {
    /// Parses `<pages>[+]?<query>`.
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

/// Gets a page: the first one, or the one that a marker leads to.
pub fn page<C: Context>(
    call: &Call<'_, C>,
    listed: &Listed,
    marker: Option<&str>,
    identity: Option<UserAssigned>,
) -> Result<Page, Error> {
    let mut request = listed.request();
    let marker = match marker.map(Marker::parse) {
        None => Marker::default(),
        Some(Some(marker)) => marker,
        Some(None) => {
            let what = format!("{}: the marker is not one that a page gave", request.doing());
            return Err(Error::new(Id::ArgumentMalformed, what));
        }
    };
    request.url.target.push('?');
    request.url.target.push_str(marker.query.unwrap_or(API_VERSION));
    let response = client::send(call, &request, identity)?;
    let unexpected = |why| Err(request.unexpected(&response, why));
    let (items, link) = match read(&response.body, listed) {
        Ok(read) => read,
        Err(why) => return unexpected(why),
    };
    let is_found = marker.is_found || !items.is_empty();
    let next = match link {
        None if listed.is_versions() && !is_found => {
            let what = format!("{}: there is no such secret", request.doing());
            return Err(Error::new(Id::SecretNotFound, what));
        }
        None => None,
        Some(link) => {
            let Some(query) = next_query(&link, listed) else {
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

/// Gets all pages; versions are sorted newest first.
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
                // A vault sorts versions by id.
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

/// The query of a link to the next page, if the link stays within this listing.
fn next_query<'a>(link: &'a str, listed: &Listed) -> Option<&'a str> {
    let url = Url::parse(link).ok()?;
    let (path, _) = url.target.split_once('?')?;
    let is_here = url.has_origin_of(&listed.vault) && listed.is_path(path);
    let (_, query) = link.split_once('?')?;
    (is_here && link.len() <= MARKER).then_some(query)
}

/// Whether a text is a query of RFC 3986. An empty one would be the first page.
fn is_query(text: &str) -> bool {
    let uri = format!("a:?{text}");
    !text.is_empty() && Uri::parse(uri.as_str()).is_ok_and(|uri| !uri.has_fragment())
}

/// The items of a page, and the link to the next one.
type Items = (Vec<Properties>, Option<String>);

/// Parses a page. The error says what is wrong without quoting the body.
fn read(body: &[u8], listed: &Listed) -> Result<Items, &'static str> {
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
        // Emulators end with an empty link.
        Some(link) => Some(link.as_text().ok_or("its answer is not a page")?)
            .filter(|link| !link.is_empty())
            .map(String::from),
    };
    Ok((items, next))
}

/// Parses an item; none if it is malformed or belongs to another vault or secret.
fn item(value: &Value<'_>, listed: &Listed) -> Option<Properties> {
    let url = Url::parse(value.get("id")?.as_text()?).ok()?;
    if !url.has_origin_of(&listed.vault) {
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
