//! What a request asks for, and whether it may ask at all.

use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header, request};
use serde::Deserialize;

use super::body::Answer;
use super::{limits, refusal};

/// How a request has reached the agent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// On a unix socket.
    Unix,
    /// At a port of loopback.
    Http(SocketAddr),
    /// At the port of the metrics.
    Metrics,
}

/// A path of the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    Secret,
    Secrets,
    Status,
    Metrics,
    Health,
}

/// The parameters of `GET /v1/secret`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) reference: String,
    /// The version that the client has already, and how long it waits for another one.
    pub(super) after: Option<(String, Duration)>,
}

/// The body of `POST /v1/secrets`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    references: Vec<String>,
}

impl Path {
    const ALL: [Self; 5] = [Self::Secret, Self::Secrets, Self::Status, Self::Metrics, Self::Health];

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Secret => "/v1/secret",
            Self::Secrets => "/v1/secrets",
            Self::Status => "/v1/status",
            Self::Metrics => "/metrics",
            Self::Health => "/healthz",
        }
    }

    fn method(self) -> Method {
        if self == Self::Secrets { Method::POST } else { Method::GET }
    }

    /// The path of a request, if there is such a one for those who come this way, and it takes the method.
    pub(super) fn find(parts: &request::Parts, way: Way) -> Result<Self, Answer> {
        let is_served = |path: &Self| match way {
            Way::Unix | Way::Http(_) => true,
            Way::Metrics => matches!(path, Self::Metrics | Self::Health),
        };
        let found =
            Self::ALL.into_iter().filter(is_served).find(|it| it.text() == parts.uri.path());
        let Some(path) = found else {
            let what = "there is nothing at its path";
            return Err(refusal::bad(StatusCode::NOT_FOUND, what, refusal::HELP));
        };
        let method = path.method();
        if parts.method == method {
            return Ok(path);
        }
        let what = format!("`{}` takes {method} alone", path.text());
        let refusal = refusal::bad(StatusCode::METHOD_NOT_ALLOWED, &what, refusal::HELP);
        let allow =
            HeaderValue::from_str(method.as_str()).unwrap_or(HeaderValue::from_static("GET"));
        Err(refusal.with(header::ALLOW, allow))
    }
}

/// Refuses requests that programs on this machine do not send to the agent: those that a browser sends for a web page,
/// those that a proxy passes on, and those that were meant for another host.
pub(super) fn check_origin(parts: &request::Parts, way: Way) -> Result<(), Answer> {
    let headers = &parts.headers;
    if head_length(parts) > limits::HEAD_MAX {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(refusal::bad(status, "its header section is too large", refusal::HELP));
    }
    let here = match way {
        Way::Unix => None,
        Way::Http(address) => Some(address),
        // Whoever asks for metrics may do so by any name.
        Way::Metrics => return Ok(()),
    };
    for (name, what) in [
        (header::ORIGIN, "it is sent for a web page (`Origin`)"),
        (header::FORWARDED, "a proxy has passed it on (`Forwarded`)"),
        (X_FORWARDED_FOR, "a proxy has passed it on (`X-Forwarded-For`)"),
    ] {
        if headers.contains_key(name) {
            return Err(refusal::foreign(what));
        }
    }
    let host = host(parts)?;
    match is_here(host, here) {
        true => Ok(()),
        false => Err(refusal::foreign("it is meant for another host (`Host`)")),
    }
}

/// Whether a host is where we listen: on a unix socket, or at this address. Nobody writes the port 80.
fn is_here(host: &str, address: Option<SocketAddr>) -> bool {
    let Some(address) = address else {
        return host.is_empty() || host.eq_ignore_ascii_case("localhost");
    };
    let (ip, port) = (address.ip(), address.port());
    let ip = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
    [ip.as_str(), "localhost"].into_iter().any(|name| {
        host.eq_ignore_ascii_case(&format!("{name}:{port}"))
            || (port == 80 && host.eq_ignore_ascii_case(name))
    })
}

const X_FORWARDED_FOR: header::HeaderName = header::HeaderName::from_static("x-forwarded-for");

/// The host that a request is meant for; empty if it names none.
fn host(parts: &request::Parts) -> Result<&str, Answer> {
    let bad = |what| refusal::bad(StatusCode::BAD_REQUEST, what, refusal::HELP);
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(bad("it has several `Host` headers"));
    }
    if host.is_none() && parts.version >= Version::HTTP_11 {
        return Err(bad("it has no `Host` header"));
    }
    let host = host.map_or(Ok(""), HeaderValue::to_str);
    let host = host.map_err(|_| refusal::foreign("it is meant for another host (`Host`)"))?;
    // A target with a host is meant for that one, whatever the header says.
    Ok(parts.uri.authority().map_or(host, |authority| authority.as_str()))
}

/// The `Authorization` of a request; none if there are several.
pub(super) fn authorization(headers: &HeaderMap) -> Option<&[u8]> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let first = all.next();
    first.filter(|_| all.next().is_none()).map(HeaderValue::as_bytes)
}

/// Reads the parameters of a request for one secret.
pub(super) fn wanted(query: Option<&str>) -> Result<Wanted, Answer> {
    let bad = |what: &str| {
        let help = "ask for /v1/secret?reference=REFERENCE, percent-encoded, and with \
                    &after=VERSION&wait=SECONDS for the next version";
        refusal::bad(StatusCode::BAD_REQUEST, what, help)
    };
    let (mut reference, mut after, mut wait) = (None, None, None);
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let place = match name.as_ref() {
            "reference" => &mut reference,
            "after" => &mut after,
            "wait" => &mut wait,
            _ => return Err(bad("it has a parameter that is not known")),
        };
        if place.replace(value.into_owned()).is_some() {
            return Err(bad(&format!("`{name}` stands in it twice")));
        }
    }
    let reference = reference.ok_or_else(|| bad("it has no `reference`"))?;
    let wait = match wait.map(|wait| wait.parse::<u64>()) {
        None => 0,
        Some(Ok(seconds)) if seconds <= limits::WAIT_MAX => seconds,
        Some(_) => return Err(bad("`wait` is no number of seconds up to 300")),
    };
    if wait > 0 && after.is_none() {
        return Err(bad("`wait` needs `after`"));
    }
    Ok(Wanted { reference, after: after.map(|after| (after, Duration::from_secs(wait))) })
}

/// Reads the references of a request for several secrets.
pub(super) fn references(body: &[u8]) -> Result<Vec<String>, Answer> {
    let help = "send {\"references\":[\"akv://VAULT/NAME\",…]}, 256 of them at most";
    let bad = |what| refusal::bad(StatusCode::BAD_REQUEST, what, help);
    // An array of the members' values would be taken for the object.
    let is_object = body.trim_ascii_start().first() == Some(&b'{');
    let many: Option<Many> = serde_json::from_slice(body).ok().filter(|_| is_object);
    let many = many.ok_or_else(|| bad("its body is not the JSON object that it must be"))?;
    if many.references.len() > limits::REFERENCES_MAX {
        return Err(bad("it has more than 256 references"));
    }
    Ok(many.references)
}

/// The length of a header section, at least: without optional white space.
fn head_length(parts: &request::Parts) -> usize {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    let line = parts.method.as_str().len() + target + " HTTP/1.1\r\n\r\n".len() + 1;
    let header = |(name, value): (&header::HeaderName, &HeaderValue)| {
        name.as_str().len() + value.len() + ":\r\n".len()
    };
    line + parts.headers.iter().map(header).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_where_we_listen_or_it_is_not() {
        for (host, address, expected) in [
            ("", None, true),
            ("LocalHost", None, true),
            ("localhost:80", None, false),
            ("127.0.0.1:8200", Some("127.0.0.1:8200"), true),
            ("LOCALHOST:8200", Some("127.0.0.1:8200"), true),
            ("127.0.0.1", Some("127.0.0.1:8200"), false),
            ("localhost", Some("127.0.0.1:8200"), false),
            ("127.0.0.1:8201", Some("127.0.0.1:8200"), false),
            ("127.0.0.2:8200", Some("127.0.0.1:8200"), false),
            ("", Some("127.0.0.1:8200"), false),
            ("[::1]:8200", Some("[::1]:8200"), true),
            ("::1:8200", Some("[::1]:8200"), false),
            // Clients leave this one out.
            ("127.0.0.1", Some("127.0.0.1:80"), true),
            ("127.0.0.1:80", Some("127.0.0.1:80"), true),
            ("localhost", Some("127.0.0.1:80"), true),
            ("[::1]", Some("[::1]:80"), true),
            ("job.example", Some("127.0.0.1:80"), false),
            ("", Some("127.0.0.1:80"), false),
        ] {
            let at = address.map(|address| address.parse().expect(address));
            assert_eq!(is_here(host, at), expected, "{host} at {address:?}");
        }
    }

    #[test]
    fn a_request_for_one_secret_is_read_or_refused() {
        let after =
            |version: &str, seconds| Some((version.to_owned(), Duration::from_secs(seconds)));
        for (query, reference, expected) in [
            ("reference=akv://job/s?json=/a", "akv://job/s?json=/a", None),
            ("reference=akv%3A%2F%2Fjob%2Fs%3Fjson%3D%2Fa%252Bb", "akv://job/s?json=/a%2Bb", None),
            ("reference=x&after=1", "x", after("1", 0)),
            ("wait=300&after=&reference=x", "x", after("", 300)),
            ("reference=", "", None),
        ] {
            let wanted = wanted(Some(query)).ok();
            let expected = Wanted { reference: reference.to_owned(), after: expected };
            assert_eq!(wanted, Some(expected), "{query}");
        }
        for query in [
            "",
            "refrence=x",
            "reference=x&reference=x",
            "reference=x&wait=1",
            "reference=x&after=1&wait=301",
            "reference=x&after=1&wait=-1",
            "reference=x&after=1&wait=",
            "reference=x&version=1",
        ] {
            let refused = wanted(Some(query)).err().map(|it| it.status().as_u16());
            assert_eq!(refused, Some(400), "{query}");
        }
    }
}
