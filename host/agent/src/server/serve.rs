//! Accepts connections and serves them, until the agent is asked to end: then what was asked is answered.

use std::io;
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, geteuid, getrlimit};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::trace;

use super::asker::Asker;
use super::listen::Listener;
use super::peer::Peer;
use super::places::Owner;
use super::request::Way;
use super::respond::respond;
use super::stream::{Connection, Socket, Stream};
use super::{State, limits};

/// A listener on the agent's runtime.
pub(super) enum Accepting {
    Unix(UnixListener),
    Tcp(TcpListener, Way),
}

enum Accepted {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// How many connections the file descriptors of this process are enough for.
pub(super) fn most_connections() -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
    let left = descriptors.saturating_sub(limits::DESCRIPTORS_LEFT).max(descriptors / 4);
    (left / limits::DESCRIPTORS_EACH).clamp(1, limits::CONNECTIONS)
}

impl Accepting {
    /// Takes a listener over. It must be called on the runtime.
    pub(super) fn new(listener: Listener) -> io::Result<Self> {
        Ok(match listener {
            Listener::Unix(unix) => Self::Unix(UnixListener::from_std(unix.socket)?),
            Listener::Http(listener) => {
                let way = Way::Http(listener.local_addr()?);
                Self::Tcp(TcpListener::from_std(listener)?, way)
            }
            Listener::Metrics(listener) => {
                Self::Tcp(TcpListener::from_std(listener)?, Way::Metrics)
            }
        })
    }

    async fn accept(&self) -> io::Result<Accepted> {
        Ok(match self {
            Self::Unix(listener) => Accepted::Unix(listener.accept().await?.0),
            Self::Tcp(listener, _) => Accepted::Tcp(listener.accept().await?.0),
        })
    }

    fn way(&self) -> Way {
        match self {
            Self::Unix(_) => Way::Unix,
            Self::Tcp(_, way) => *way,
        }
    }
}

/// Accepts connections until the agent is asked to end, and waits for their ends.
pub(super) async fn serve(accepting: Accepting, state: Arc<State>) {
    let mut stopping = state.stopping.subscribe();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = accepting.accept() => accepted,
            _ = stopping.wait_for(|is| *is) => break,
        };
        take(&accepting, accepted, &state, &mut connections).await;
    }
    // Whoever has connected before may have asked. On a socket of the service manager others come without an end: they
    // wait there for the next agent.
    let end = Instant::now() + limits::LAST_CONNECTIONS;
    while Instant::now() < end
        && let Ok(accepted) = timeout(limits::LAST_REQUESTS, accepting.accept()).await
        && accepted.is_ok()
    {
        take(&accepting, accepted, &state, &mut connections).await;
    }
    drop(accepting);
    while connections.join_next().await.is_some() {}
}

async fn take(
    accepting: &Accepting,
    accepted: io::Result<Accepted>,
    state: &Arc<State>,
    connections: &mut JoinSet<()>,
) {
    let Ok(accepted) = accepted else {
        // Usually the process is out of file descriptors, which become free again.
        if !state.places.close_one() {
            sleep(limits::PAUSE).await;
        }
        tokio::task::yield_now().await;
        return;
    };
    // The peer is looked at before anything else, so that its number is still its own.
    let (owner, peer) = match &accepted {
        Accepted::Unix(stream) => match Peer::new(stream, state.needs_programs) {
            Ok(peer) if state.rules().answers(peer.user) => {
                let is_own = peer.user == geteuid().as_raw();
                (if is_own { Owner::Own } else { Owner::User(peer.user) }, Some(peer))
            }
            Ok(peer) => {
                state.metrics.refused.inc();
                tracing::warn!(target: "vaultlet", "agent: user {} is not answered", peer.user);
                return;
            }
            Err(_) => return,
        },
        Accepted::Tcp(_) => match accepting.way() {
            Way::Metrics => (Owner::Metrics, None),
            Way::Unix | Way::Http(_) => (Owner::Http, None),
        },
    };
    let Some(place) = state.places.take(owner).await else { return };
    let connection = Connection::new(place);
    let (for_task, state) = (Arc::clone(&connection), Arc::clone(state));
    let (asker, way) = (Arc::new(Asker::new(peer)), accepting.way());
    // One type for both, so that there is one copy of hyper for it.
    let stream: Socket = match accepted {
        Accepted::Unix(stream) => Box::new(stream),
        Accepted::Tcp(stream) => Box::new(stream),
    };
    let task = connections.spawn(serve_connection(stream, for_task, asker, way, state));
    connection.place.set_task(task);
    while connections.try_join_next().is_some() {}
}

async fn serve_connection(
    stream: Socket,
    connection: Arc<Connection>,
    asker: Arc<Asker>,
    way: Way,
    state: Arc<State>,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let (state, asker) = (Arc::clone(&state), Arc::clone(&asker));
        let connection = Arc::clone(&connection);
        async move {
            connection.begin();
            // The policy may have been read again since the connection was accepted.
            if !asker.is_answered(&state) {
                state.metrics.refused.inc();
                return Err(io::Error::from(io::ErrorKind::PermissionDenied));
            }
            let method = request.method().clone();
            let (parts, body) = request.into_parts();
            let span = trace::Served::begin(&parts);
            let outcome = span.during(respond(&state, &asker, way, parts, body)).await;
            let (path, status) = (outcome.path, outcome.answer.status().as_u16());
            state.metrics.answered(path, status, outcome.took);
            span.end(path, status);
            // Without the query, in which a client may have written anything.
            tracing::info!(target: "vaultlet", "agent: {method} {path} {status}");
            Ok(outcome.answer.into_response(connection.respond()))
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD)
        .max_buf_size(limits::HEAD_MAX)
        .serve_connection(TokioIo::new(Stream::new(stream, Arc::clone(&connection))), service);
    tokio::pin!(served);
    let mut stopping = state.stopping.subscribe();
    let overdue = async {
        sleep(limits::STRANGER).await;
        if !connection.place.is_stranger() {
            std::future::pending::<()>().await;
        }
    };
    let stopped = async {
        let _ = stopping.wait_for(|is| *is).await;
        // A request may have been sent and not been read. The first one of a connection is not sent again by a client.
        sleep(limits::LAST_REQUESTS).await;
        if connection.place.is_stranger() {
            sleep(limits::LAST_FIRST_REQUESTS).await;
        }
    };
    tokio::select! {
        biased;
        // A connection that the client closes early is not a failure.
        _ = served.as_mut() => return,
        () = overdue => return,
        () = stopped => {}
    }
    if connection.is_waiting() {
        return;
    }
    served.as_mut().graceful_shutdown();
    let _ = served.await;
}
