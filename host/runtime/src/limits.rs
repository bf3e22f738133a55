//! Every limit and time-out of the host, one line each.

use std::time::Duration;

/// Guest calls of the vault role at once, unless the embedder says otherwise; more wait in line.
pub(crate) const CONCURRENCY: usize = 64;
/// More than this an embedder cannot ask for: each has address space set aside.
pub(crate) const CONCURRENCY_MAX: usize = 1_024;
/// Broker calls at once, at most; each asks one identity. A level of its own, so that a vault call
/// that waits for a token never holds the place which that token needs.
pub(crate) const BROKERS_MAX: usize = 16;
/// Instances without any capability, for `plan`, at most.
pub(crate) const PLANS_MAX: usize = 4;
/// Calls after which an instance is replaced, so that a slow leak in it stays small.
pub(crate) const CALLS_PER_INSTANCE: u32 = 1_000;
/// Resolved references that a thread keeps.
pub(crate) const REFERENCES_KEPT: usize = 512;
/// Vaults whose idle instances are kept.
pub(crate) const VAULTS_KEPT: usize = 16;
/// Items of one listing that are kept; the component gives up after 4,000 pages, of 25 each.
pub(crate) const LISTED_MAX: usize = 100_000;

/// Bytes that one guest memory may grow to. A get needs about 0.3 MiB.
pub(crate) const MEMORY_MAX: usize = 16 << 20;
/// Bytes of a response body, identity endpoints and vaults alike: a secret of 25,600 bytes is
/// at most six times that long when escaped as JSON.
pub(crate) const BODY_MAX: usize = 1 << 20;
/// Bytes of a response's header section; Key Vault's are below 2 KiB.
pub(crate) const HEADERS_MAX: usize = 64 << 10;
/// Answers of the identity endpoint that are kept, one for each identity and resource.
pub(crate) const ANSWERS_KEPT: usize = 256;

/// Bytes of a file that a guest may read; tokens have some thousand.
pub(crate) const FILE_MAX: usize = 64 << 10;
/// Bytes of a file with a key and its certificates.
pub(crate) const KEY_FILE_MAX: usize = 64 << 10;
/// Bytes that a key signs at once, a header and some claims.
pub(crate) const SIGNED_MAX: usize = 64 << 10;
/// Bytes of one value on a program's command line: claims are the longest.
pub(crate) const PROGRAM_VALUE_MAX: usize = 24 << 10;
/// Bytes that a program may say on stdout, and again on stderr; a token has some thousand.
pub(crate) const PROGRAM_OUTPUT_MAX: usize = 64 << 10;
/// Bytes of a line for a person that was begun and not ended.
pub(crate) const PROMPT_LINE_MAX: usize = 4 << 10;

/// Bytes of a lent request's header section.
pub(crate) const LENT_HEADERS_MAX: usize = 32 << 10;
/// Bytes of a lent request's body; what asks for a token has few or none.
pub(crate) const LENT_BODY_MAX: usize = 64 << 10;
/// Connections to a lent endpoint at once; more wait in line.
pub(crate) const LENT_CONNECTIONS: usize = 256;

/// Reading a lent request's headers, the wait for them on a kept connection included.
pub(crate) const LENT_HEADERS: Duration = Duration::from_secs(50);
/// Reading a lent request's body.
pub(crate) const LENT_BODY: Duration = Duration::from_secs(10);
/// Before connections are taken again when the system had none to give.
pub(crate) const LENT_PAUSE: Duration = Duration::from_millis(100);
/// A program's whole run.
pub(crate) const PROGRAM: Duration = Duration::from_secs(10);
/// Waiting for the ends of a program's pipes after its own.
pub(crate) const PROGRAM_PIPES: Duration = Duration::from_secs(1);
/// The whole of one call, unless the embedder says otherwise.
pub(crate) const CALL: Duration = Duration::from_secs(120);
/// One flight to an identity endpoint, unless a call may take longer: a metadata service that is being
/// updated may need 70 s.
pub(crate) const FLIGHT: Duration = Duration::from_secs(120);
/// Name lookup, TCP and TLS of one connection.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);
/// From the request to the first byte of its answer, where the guest asks for no less.
pub(crate) const FIRST_BYTE: Duration = Duration::from_secs(60);
/// Between two pieces of a body.
pub(crate) const BETWEEN_BYTES: Duration = Duration::from_secs(20);
/// Idle connections are closed before the usual 60 s of middleboxes.
pub(crate) const IDLE: Duration = Duration::from_secs(50);
/// Idle connections kept to one server.
pub(crate) const IDLE_PER_SERVER: usize = 64;
/// How often a guest that computes gives the thread back.
pub(crate) const EPOCH: Duration = Duration::from_millis(50);
/// How long an answer of the identity endpoint that states no lifetime is kept: not at all.
pub(crate) const UNSTATED: Duration = Duration::ZERO;

/// Of a plugin, and those of its calls, each an instance of its own.
#[cfg(feature = "plugins")]
pub(crate) use of_plugins::*;

#[cfg(feature = "plugins")]
mod of_plugins {
    use std::time::Duration;

    /// Bytes that the memories of an instance have together, unless the embedder says otherwise.
    pub(crate) const PLUGIN_MEMORY: usize = 64 << 20;
    /// More than this none can be given.
    pub(crate) const PLUGIN_MEMORY_MAX: usize = 4 << 30;
    /// One call, unless the embedder says otherwise.
    pub(crate) const PLUGIN_CALL: Duration = Duration::from_secs(30);
    /// Calls at once, unless the embedder says otherwise; more wait in line.
    pub(crate) const PLUGIN_CONCURRENCY: usize = 4;
    /// More than this an embedder cannot ask for.
    pub(crate) const PLUGIN_CONCURRENCY_MAX: usize = 64;
    /// Core instances of one component, and tables: one with an interpreter has dozens.
    pub(crate) const PLUGIN_INSTANCES_MAX: usize = 1_000;
    /// Memories of one component.
    pub(crate) const PLUGIN_MEMORIES_MAX: usize = 16;
    /// Entries that its tables have together, each of some bytes of ours.
    pub(crate) const PLUGIN_ELEMENTS_MAX: usize = 1 << 20;
    /// Handles of the host's that an instance has at once.
    pub(crate) const PLUGIN_HANDLES_MAX: usize = 4_096;
    /// Bytes of ours that one call from a plugin to the host, or one result, may take.
    pub(crate) const PLUGIN_PASSED_MAX: usize = 8 << 20;
    /// Bytes of a reference that a plugin asks for.
    pub(crate) const PLUGIN_REFERENCE_MAX: usize = 4 << 10;
    /// Bytes of a call as text.
    pub(crate) const PLUGIN_TEXT_MAX: usize = 256 << 10;
    /// Bytes of a call as text that is read on the stack that is there.
    pub(crate) const PLUGIN_TEXT_SHORT: usize = 1 << 10;
    /// Bytes of stack for each byte of a longer one; seen were 300.
    pub(crate) const PLUGIN_TEXT_STACK: usize = 1 << 10;
    /// Random bytes at once.
    pub(crate) const PLUGIN_RANDOM_MAX: u64 = 64 << 10;
    /// Bytes of its output that are passed on.
    pub(crate) const PLUGIN_OUTPUT_MAX: usize = 64 << 10;
    /// Secrets that it holds at once, each of 25,600 bytes at most.
    pub(crate) const PLUGIN_HELD_MAX: usize = 256;
    /// Secrets that it may ask for in one call, granted or not.
    pub(crate) const PLUGIN_ASKED_MAX: usize = 1_000;
}
