//! Where the agent listens: a unix socket that is made, with what an agent before has left behind; a socket that the
//! service manager has opened; and ports.

use std::fs::{self, Permissions};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Instant;

use rustix::fs::{FlockOperation, Mode};
use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};
use vaultlet_host::{Error, Kind};

use super::{limits, system};

/// A socket on which the agent serves.
#[derive(Debug)]
pub enum Listener {
    /// A unix socket.
    Unix(Unix),
    /// A port on loopback, for programs that have the token.
    Http(TcpListener),
    /// A port for the metrics.
    Metrics(TcpListener),
}

/// A unix socket on which the agent serves.
#[derive(Debug)]
pub struct Unix {
    pub(super) socket: UnixListener,
    path: Option<PathBuf>,
    /// The socket's file, if it was made here.
    file: Option<SocketFile>,
}

impl Listener {
    /// Listens on a unix socket at a path, which other users can reach if it is open. The file that an agent which
    /// was killed has left there is replaced.
    pub fn unix(path: &Path, is_open: bool) -> Result<Self, Error> {
        let path = std::path::absolute(path).map_err(|error| unbound(path, &error))?;
        let length = path.as_os_str().len();
        if length > limits::SOCKET_PATH {
            let what = format!("the path has {length} bytes, of at most {}", limits::SOCKET_PATH);
            return Err(refused(&path, &what, "choose a shorter path by `--socket`"));
        }
        let folder = path.parent().unwrap_or(Path::new("/"));
        let folder = fs::File::open(folder).map_err(|error| no_folder(&path, &error))?;
        // Of two agents that start at once, one finds the socket of the other.
        let _turn = Turn::wait(&folder);
        check(&path)?;
        let bind = || -> io::Result<Unix> {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            // The file is made with the mode of the socket. Linux alone does that.
            let _ = rustix::fs::fchmod(&socket, Mode::from_raw_mode(0o600));
            socket.bind(&SockAddr::unix(&path)?)?;
            let made = fs::symlink_metadata(&path)?;
            let file = SocketFile { path: path.clone(), file: (made.dev(), made.ino()) };
            fs::set_permissions(&path, Permissions::from_mode(mode(is_open)))?;
            socket.listen(limits::BACKLOG)?;
            socket.set_nonblocking(true)?;
            Ok(Unix { socket: socket.into(), path: Some(path.clone()), file: Some(file) })
        };
        bind().map(Self::Unix).map_err(|error| unbound(&path, &error))
    }

    /// Listens on a port of loopback, for programs that have the token.
    pub fn http(address: SocketAddr) -> Result<Self, Error> {
        tcp(address).map(Self::Http)
    }

    /// Listens on a port for the metrics.
    pub fn metrics(address: SocketAddr) -> Result<Self, Error> {
        tcp(address).map(Self::Metrics)
    }

    /// The sockets that the service manager has opened for this process (`LISTEN_FDS`). It must be called once.
    /// <https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html>
    pub fn inherited() -> Result<Vec<Self>, Error> {
        let descriptors = sd_notify::listen_fds().map_err(|error| {
            inherited_error(&format!("`LISTEN_PID` and `LISTEN_FDS` are malformed: {error}"))
        })?;
        descriptors.map(Self::of_descriptor).collect()
    }

    fn of_descriptor(descriptor: i32) -> Result<Self, Error> {
        let wrong = |what: &str| inherited_error(&format!("descriptor {descriptor} {what}"));
        let socket = system::adopt(descriptor).ok_or_else(|| wrong("is not open"))?;
        let socket = Socket::from(socket);
        let is_stream = socket.r#type().is_ok_and(|it| it == Type::STREAM);
        if !is_stream || !accepts(&socket) {
            return Err(wrong("is no socket that listens for connections"));
        }
        let address = socket.local_addr().map_err(|_| wrong("is no socket"))?;
        socket.set_nonblocking(true).map_err(|error| wrong(&error.to_string()))?;
        if let Some(address) = address.as_socket() {
            if !address.ip().is_loopback() {
                return Err(wrong(&format!("listens at {address}, which is not on loopback")));
            }
            return Ok(Self::Http(socket.into()));
        }
        if !address.is_unix() {
            return Err(wrong("is neither a unix socket nor a port"));
        }
        let path = address.as_pathname().map(Path::to_owned);
        Ok(Self::Unix(Unix { socket: socket.into(), path, file: None }))
    }

    /// Where clients find the agent, as `VAULTLET_AGENT` has it. `None` for metrics, and a socket without a name.
    pub fn address(&self) -> Option<String> {
        match self {
            Self::Unix(unix) => unix.path.as_ref().map(|path| format!("unix:{}", path.display())),
            Self::Http(listener) => {
                listener.local_addr().ok().map(|address| format!("http://{address}"))
            }
            Self::Metrics(_) => None,
        }
    }

    /// The address of a port.
    pub fn port(&self) -> Option<SocketAddr> {
        match self {
            Self::Unix(_) => None,
            Self::Http(listener) | Self::Metrics(listener) => listener.local_addr().ok(),
        }
    }

    /// The file of a socket that was made here, which is to be removed at the end.
    pub(super) fn take_file(&mut self) -> Option<SocketFile> {
        match self {
            Self::Unix(unix) => unix.file.take(),
            Self::Http(_) | Self::Metrics(_) => None,
        }
    }
}

/// The file of a unix socket that this process has made. It is removed when this is dropped.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    file: (u64, u64),
}

impl SocketFile {
    /// Lets other users reach the socket, or our own user alone.
    pub(super) fn open_to_others(&self, is_open: bool) -> Result<(), Error> {
        if self.is_ours() {
            let mode = Permissions::from_mode(mode(is_open));
            fs::set_permissions(&self.path, mode).map_err(|error| unbound(&self.path, &error))?;
        }
        Ok(())
    }

    fn is_ours(&self) -> bool {
        let found = fs::symlink_metadata(&self.path);
        found.is_ok_and(|it| (it.dev(), it.ino()) == self.file)
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.is_ours() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The mode of the socket. Whoever connects is identified by the kernel, so that an open one gives nothing away.
fn mode(is_open: bool) -> u32 {
    if is_open { 0o666 } else { 0o600 }
}

/// Whether a socket listens for connections. Apple's systems do not tell, and have no service manager of this kind.
fn accepts(socket: &Socket) -> bool {
    #[cfg(not(target_vendor = "apple"))]
    return rustix::net::sockopt::socket_acceptconn(socket).unwrap_or(true);
    #[cfg(target_vendor = "apple")]
    socket.local_addr().is_ok()
}

/// Makes room for the socket: removes what an agent which was killed has left.
fn check(path: &Path) -> Result<(), Error> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        let help = "choose another path for the socket, or remove what is there";
        return Err(refused(path, "something else than a socket is there", help));
    }
    if let Some((what, help)) = living(path) {
        return Err(refused(path, what, help));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unbound(path, &error)),
        _ => Ok(()),
    }
}

/// What serves at a socket, and what to do about it; `None` if the system says that nobody listens.
fn living(path: &Path) -> Option<(&'static str, &'static str)> {
    match connect(path).map_err(|error| Errno::from_io_error(&error)) {
        Err(Some(Errno::CONNREFUSED | Errno::NOENT)) => None,
        // The queue of connections is full.
        Ok(()) | Err(Some(Errno::AGAIN)) => Some((
            "another agent serves there",
            "use that agent, end it, or choose another path by `--socket`",
        )),
        Err(Some(Errno::ACCESS | Errno::PERM)) => Some((
            "a socket of another user is there",
            "choose another path by `--socket`, or have that user remove it",
        )),
        Err(_) => Some((
            "a socket of another program is there",
            "choose another path by `--socket`, or end that program and remove it",
        )),
    }
}

fn connect(path: &Path) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)?;
    drop(UnixStream::from(socket));
    Ok(())
}

/// The turn of one of several agents that start in one folder.
struct Turn<'a>(&'a fs::File);

impl<'a> Turn<'a> {
    /// Waits for our turn, though not long: any program may lock a folder that it can read.
    fn wait(folder: &'a fs::File) -> Self {
        let late = Instant::now() + limits::OTHER_START;
        while rustix::fs::flock(folder, FlockOperation::NonBlockingLockExclusive)
            == Err(Errno::WOULDBLOCK)
            && Instant::now() < late
        {
            // The system waits for a lock without end, or not at all.
            sleep(limits::OTHER_START_SLICE);
        }
        Self(folder)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let _ = rustix::fs::flock(self.0, FlockOperation::Unlock);
    }
}

fn tcp(address: SocketAddr) -> Result<TcpListener, Error> {
    let listen = || -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        // As the standard library does: a port is free again as soon as its owner has ended.
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(limits::BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    };
    listen().map_err(|error| {
        let message = format!("serving at {address}: {}", error.to_string().to_lowercase());
        Error::new(
            Kind::Conflict,
            "agent-socket",
            message,
            "choose another port, or end what uses this one",
        )
    })
}

fn refused(path: &Path, what: &str, help: &str) -> Error {
    Error::new(
        Kind::Conflict,
        "agent-socket",
        format!("serving at `{}`: {what}", path.display()),
        help,
    )
}

fn no_folder(path: &Path, error: &io::Error) -> Error {
    let what = match error.kind() {
        io::ErrorKind::NotFound => "its folder does not exist".to_owned(),
        _ => format!("its folder cannot be used: {}", error.to_string().to_lowercase()),
    };
    refused(path, &what, "make the folder, or choose another path by `--socket`")
}

fn unbound(path: &Path, error: &io::Error) -> Error {
    let help = "choose a path in a folder that this user can write to, by `--socket`";
    refused(path, &error.to_string().to_lowercase(), help)
}

fn inherited_error(what: &str) -> Error {
    let help = "correct the socket unit: `ListenStream=` with a path, or with a port on 127.0.0.1";
    Error::new(
        Kind::Configuration,
        "agent-listen-fds",
        format!("taking the sockets of the service manager: {what}"),
        help,
    )
}
