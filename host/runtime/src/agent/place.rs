//! Where the agent is, and whether it may be asked: a unix socket of this user or of root, or a port of loopback
//! with a token.

use std::ffi::OsStr;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::file;
use crate::limits;
use crate::net::{Local, LocalAddress};
use crate::system::files::{bytes, own_user, path, socket_owner};

use super::failed::Failed;
use super::{PLACE, TOKEN_FILE};

/// Where the agent is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A unix socket.
    Socket(PathBuf),
    /// A port of loopback, and the file with the token for it.
    Port(SocketAddr, PathBuf),
}

/// Bytes of a unix socket's path that the system has room for, without the zero at its end.
const PATH_MAX: usize = if cfg!(target_vendor = "apple") { 103 } else { 107 };

impl Place {
    /// Reads a place as `vaultlet agent` prints it. The value is not quoted in an error: it may be anything.
    pub(crate) fn parse(text: &OsStr, token_file: Option<PathBuf>) -> Result<Option<Self>, Error> {
        let bytes = bytes(text).trim_ascii();
        if bytes.is_empty() {
            return Ok(None);
        }
        if let Some(file) = bytes.strip_prefix(b"unix:") {
            if cfg!(windows) {
                return Err(malformed("there are no sockets of Unix on Windows"));
            }
            if file.is_empty() || file.contains(&0) {
                return Err(malformed("there is no path of a socket in it"));
            }
            if file.len() > PATH_MAX {
                let why = format!("the path of a socket has at most {PATH_MAX} bytes");
                return Err(malformed(&why));
            }
            return Ok(path(file).map(Self::Socket));
        }
        let text = str::from_utf8(bytes).ok().and_then(|text| text.strip_prefix("http://"));
        let Some(text) = text else {
            return Err(malformed("it is neither `unix:PATH` nor `http://127.0.0.1:PORT`"));
        };
        let text = text.strip_suffix('/').unwrap_or(text);
        let address = match text.strip_prefix("localhost:") {
            Some(port) => port.parse().ok().map(|port: u16| (Ipv4Addr::LOCALHOST, port).into()),
            None => text.parse().ok(),
        };
        let address = address.filter(|it: &SocketAddr| it.ip().is_loopback() && it.port() != 0);
        let Some(address) = address else {
            return Err(malformed("after `http://` there is no port of loopback: 127.0.0.1:PORT"));
        };
        match token_file {
            Some(file) => Ok(Some(Self::Port(address, file))),
            None => Err(Error::configuration(
                "setting-malformed",
                format!("reading `{PLACE}`: an agent on a port wants a token"),
                "name the file of its token in `VAULTLET_AGENT_TOKEN_FILE`",
            )),
        }
    }

    /// Host and port for the header of a request. Without a port, 80 stands for none.
    pub(super) fn host(&self) -> (String, u16) {
        match self {
            Self::Socket(_) => ("localhost".into(), 80),
            Self::Port(address, _) => (address.ip().to_string(), address.port()),
        }
    }

    pub(super) fn address(&self) -> LocalAddress<'_> {
        match self {
            Self::Socket(path) => LocalAddress::Socket(path),
            Self::Port(address, _) => LocalAddress::Port(*address),
        }
    }

    /// The token, which is read anew each time; none on a socket.
    pub(super) fn token(&self) -> Result<Option<Zeroizing<String>>, Error> {
        let Self::Port(_, path) = self else { return Ok(None) };
        let read = file::read_secret_file(path, limits::AGENT_TOKEN_MAX);
        let content = read.map_err(|why| bad_token(path, &why))?;
        let text = str::from_utf8(content.trim_ascii()).ok();
        match text.filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())) {
            Some(token) => Ok(Some(Zeroizing::new(token.to_owned()))),
            None => Err(bad_token(path, "it is not one word of ASCII, as a token is")),
        }
    }

    /// Fails if the socket's file is nobody's who may be asked.
    pub(super) fn check_owner(&self) -> Result<(), Failed> {
        let Self::Socket(path) = self else { return Ok(()) };
        let metadata = std::fs::metadata(path).map_err(|error| self.of_kind(error.kind()))?;
        match socket_owner(&metadata) {
            Some(owner) => self.check("the socket's file belongs to", owner),
            None => Err(self.unreachable("it is not a socket")),
        }
    }

    /// Fails if who listens at the other end may not be asked. Nothing has been sent yet.
    pub(super) fn check_peer(&self, connection: &Local) -> Result<(), Failed> {
        match self {
            Self::Socket(_) => {
                let peer = connection.peer();
                let peer = peer.map_err(|error| self.unreachable(&error.kind().to_string()))?;
                self.check("who listens there is", peer)
            }
            Self::Port(..) => Ok(()),
        }
    }

    fn check(&self, what: &str, owner: u32) -> Result<(), Failed> {
        let own = own_user();
        if owner == own || owner == 0 { Ok(()) } else { Err(self.untrusted(what, owner, own)) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "unix:{}", file::shown(path)),
            Self::Port(address, _) => write!(f, "http://{address}"),
        }
    }
}

fn malformed(why: &str) -> Error {
    Error::configuration(
        "setting-malformed",
        format!("reading `{PLACE}`: {why}"),
        "write `unix:PATH` or `http://127.0.0.1:PORT`, as `vaultlet agent` prints it, or unset it",
    )
}

fn bad_token(path: &std::path::Path, why: &str) -> Error {
    let message = format!("reading the agent's token in `{}`: {why}", file::shown(path));
    let help = format!("correct the file, or `{TOKEN_FILE}`, which names it");
    Error::configuration("credential-file", message, &help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_printed() {
        let long = format!("unix:/{}", "x".repeat(PATH_MAX));
        for (text, expected) in [
            ("", Some("")),
            ("  ", Some("")),
            ("unix:/run/vaultlet.sock", Some("unix:/run/vaultlet.sock")),
            (" unix:/run/vaultlet.sock\n", Some("unix:/run/vaultlet.sock")),
            ("unix:///run/vaultlet.sock", Some("unix:///run/vaultlet.sock")),
            ("unix:agent.sock", Some("unix:agent.sock")),
            ("http://127.0.0.1:8200", Some("http://127.0.0.1:8200")),
            ("http://127.0.0.1:8200/", Some("http://127.0.0.1:8200")),
            ("http://localhost:8200", Some("http://127.0.0.1:8200")),
            ("http://[::1]:8200", Some("http://[::1]:8200")),
            (&long, None),
            ("unix:", None),
            ("unix:/a\0b", None),
            ("/run/vaultlet.sock", None),
            ("http://127.0.0.1", None),
            ("http://127.0.0.1:0", None),
            ("http://127.0.0.1:99999", None),
            ("http://127.0.0.1:8200/v1", None),
            ("http://user@127.0.0.1:8200", None),
            ("http://10.0.0.1:8200", None),
            ("http://agent.example:8200", None),
            ("https://127.0.0.1:8200", None),
            ("tcp://127.0.0.1:8200", None),
        ] {
            let place = Place::parse(OsStr::new(text), Some("/token".into()));
            let shown =
                place.as_ref().map(|it| it.as_ref().map_or(String::new(), |it| it.to_string()));
            assert_eq!(shown.as_deref().ok(), expected, "{text:?}");
        }
        let without = Place::parse(OsStr::new("http://127.0.0.1:8200"), None).unwrap_err();
        assert!(without.to_string().contains("VAULTLET_AGENT_TOKEN_FILE"), "{without}");
    }
}
