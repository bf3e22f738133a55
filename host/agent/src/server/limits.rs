//! Every limit and time-out of the agent's server, one line each, with its unit and reason.

use std::time::Duration;

/// Bytes of a request's header section; a reference has at most 2 KiB.
pub(super) const HEAD_MAX: usize = 16 << 10;
/// References of one request.
pub(super) const REFERENCES_MAX: usize = 256;
/// Bytes of a request's body: as many references of the greatest length, some of them escaped.
pub(super) const BODY_MAX: usize = 768 << 10;
/// Bytes of values in a response that is made at once; a longer one is made while it is sent.
pub(super) const WHOLE: usize = 128 << 10;
/// Bytes that the properties of a secret take there, usually.
pub(super) const PROPERTIES: usize = 256;
/// Bytes of a body that is too large which are read all the same, so that its sender reads the response.
pub(super) const BODY_DISCARDED: usize = 8 << 20;
/// Seconds that a client may wait for a new version in one request.
pub(super) const WAIT_MAX: u64 = 300;
/// Bytes of a unix socket's path: the system's own limit.
pub(super) const SOCKET_PATH: usize = if cfg!(target_vendor = "apple") { 103 } else { 107 };
/// Bytes of a file with a token.
pub(super) const TOKEN_MAX: usize = 4 << 10;

/// Connections at once: for another one, one that is not busy is closed.
pub(super) const CONNECTIONS: usize = 4_096;
/// The part of the connections that another user, or those who read the metrics, may have: one of so many.
pub(super) const PART_OF_OTHERS: usize = 4;
/// File descriptors of the process that connections leave to everything else.
pub(super) const DESCRIPTORS_LEFT: usize = 256;
/// File descriptors of one connection: its own, and the folder of the process at its other end.
pub(super) const DESCRIPTORS_EACH: usize = 2;
/// Connections that the system may hold until they are accepted; it may allow fewer.
pub(super) const BACKLOG: i32 = 4_096;
/// Age below which a connection that has sent nothing is not closed for another one.
pub(super) const YOUNG: Duration = Duration::from_millis(50);
/// Time in which the first request of a connection must have come.
pub(super) const STRANGER: Duration = Duration::from_secs(5);
/// Time to read a request's header section, including the wait for a request on a kept-alive connection.
pub(super) const HEAD: Duration = Duration::from_secs(50);
/// Time to read a request's body.
pub(super) const BODY: Duration = Duration::from_secs(10);
/// Time in which a client must have taken some of the response.
pub(super) const WRITE: Duration = Duration::from_secs(10);
/// Pause after the system could not accept a connection.
pub(super) const PAUSE: Duration = Duration::from_millis(100);
/// Time for requests that were sent before the agent was asked to end, and not read by then.
pub(super) const LAST_REQUESTS: Duration = Duration::from_millis(50);
/// More time for the first request of a connection.
pub(super) const LAST_FIRST_REQUESTS: Duration = Duration::from_millis(450);
/// Time in which connections are accepted after the agent was asked to end.
pub(super) const LAST_CONNECTIONS: Duration = Duration::from_millis(500);
/// Time that another agent, which starts in the same folder, is waited for.
pub(super) const OTHER_START: Duration = Duration::from_secs(2);
/// Time after which it is looked at again.
pub(super) const OTHER_START_SLICE: Duration = Duration::from_millis(10);
/// Threads that serve connections: at least two, so that a request for many secrets holds up no other one.
pub(super) const WORKERS_MIN: usize = 2;
/// At most so many.
pub(super) const WORKERS: usize = 4;
