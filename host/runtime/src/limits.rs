//! Every limit and timeout of the host, one line each, with its unit and reason.

use std::time::Duration;

/// Calls of the vault role that run at once, unless the embedder sets another number; further calls
/// wait.
pub(crate) const CONCURRENCY: usize = 64;
/// The highest number that an embedder can set: each instance has address space reserved.
pub(crate) const CONCURRENCY_MAX: usize = 1_024;
/// Broker calls that run at once, each for one identity. They have a pool of their own, so that a
/// vault call that waits for a token never holds the instance which would get that token.
pub(crate) const BROKERS_MAX: usize = 16;
/// Planner calls that run at once.
pub(crate) const PLANNERS_MAX: usize = 4;
/// Threads for calls that wait for an instance, besides those for calls that run.
pub(crate) const THREADS_WAITING: usize = 64;
/// Threads for calls whose time ran out before a thread was free for them.
pub(crate) const THREADS_EXPIRED: usize = 4;
/// Bytes of stack of such a thread, most of it never touched.
pub(crate) const THREAD_STACK: usize = 1 << 20;
/// With fewer bytes of address space left a thread is taken to have had none for its stack, which the
/// system reports like a limit of threads.
pub(crate) const ADDRESSES_FOR_THREAD: u64 = 32 << 20;
/// So it is below a limit of so few bytes: what other threads had may be free again by now.
pub(crate) const ADDRESSES_FEW: u64 = 1 << 30;
/// Descriptors that the system's resolver opens at once, at most.
pub(crate) const DESCRIPTORS_FOR_LOOKUP: usize = 4;
/// Time after which an idle thread ends.
pub(crate) const THREAD_IDLE: Duration = Duration::from_secs(10);
/// Calls after which an instance is replaced, so that a slow leak in it stays small.
pub(crate) const CALLS_PER_INSTANCE: u32 = 1_000;
/// Vaults whose idle instances a handle keeps, and forms of reference whose vault it remembers.
pub(crate) const VAULTS_KEPT: usize = 16;
/// Bytes of a policy's file: thousands of rules.
pub(crate) const POLICY_MAX: u64 = 1 << 20;
/// Time that an audit line may take to be written to a pipe or socket that is full.
#[cfg_attr(windows, allow(dead_code, reason = "there is no journal"))]
pub(crate) const AUDIT: Duration = Duration::from_secs(2);
/// Items of one listing. The component gives up after 4,000 pages of 25 items.
pub(crate) const LISTED_MAX: usize = 100_000;

/// Components of embedders' own whose compiled code a process keeps.
#[cfg(feature = "jit")]
pub(crate) const COMPONENTS_KEPT: usize = 4;

/// Bytes that the memory of an instance may grow to. Getting a secret needs about 0.3 MiB.
pub(crate) const MEMORY_MAX: usize = 16 << 20;
/// Bytes of the caller's stack that the component's code may use.
pub(crate) const WASM_STACK: usize = 256 << 10;
/// Bytes of a response body, of identity endpoints and vaults alike: a secret of 25,600 bytes is at
/// most six times that long when escaped as JSON.
pub(crate) const BODY_MAX: usize = 1 << 20;
/// Bytes of a response's header section; Key Vault's have less than 2 KiB.
pub(crate) const HEADERS_MAX: usize = 64 << 10;
/// Headers of a response; Key Vault's have about 20.
pub(crate) const HEADERS: usize = 100;
/// Bytes of the line before a chunk of a body.
pub(crate) const CHUNK_LINE_MAX: usize = 4 << 10;
/// Bytes that are read from a connection at once.
pub(crate) const READ: usize = 4 << 10;
/// Bytes of a buffer that an idle connection keeps.
pub(crate) const BUFFER_KEPT: usize = 16 << 10;
/// Bytes of a proxy's response.
pub(crate) const PROXY_RESPONSE_MAX: usize = 8 << 10;
/// Characters of a proxy's reason for its status that an error quotes.
pub(crate) const PROXY_REASON_MAX: usize = 80;
/// Random bytes that the component gets at once; `wit/embedded.wit` says so.
pub(crate) const RANDOM_MAX: u32 = 4_096;
/// Responses that the identity endpoint caches, one for each identity and resource.
pub(crate) const RESPONSES_KEPT: usize = 256;

/// Bytes of the agent's response for each secret: a value of 25,600, each byte escaped to six, and 15 tags.
pub(crate) const AGENT_SECRET_MAX: u32 = 256 << 10;
/// Bytes of the agent's response that is an error.
pub(crate) const AGENT_ERROR_MAX: usize = 64 << 10;
/// References in one request to the agent.
pub(crate) const AGENT_REFERENCES: usize = 256;
/// Idle connections to the agent.
pub(crate) const AGENT_IDLE: usize = 16;
/// Bytes of the file with the agent's token.
pub(crate) const AGENT_TOKEN_MAX: usize = 4 << 10;
/// Bytes of a file that a guest may read; tokens have a few thousand.
pub(crate) const FILE_MAX: usize = 64 << 10;
/// Bytes of a file with a key and its certificates.
pub(crate) const KEY_FILE_MAX: usize = 64 << 10;
/// Bytes of a file with CA certificates; the roots of a system have a quarter of a megabyte.
pub(crate) const CA_FILE_MAX: u64 = 4 << 20;
/// Bytes that a key signs at once: a header and some claims.
pub(crate) const SIGNED_MAX: usize = 64 << 10;
/// Bytes of one value on a program's command line; claims are the longest.
pub(crate) const PROGRAM_VALUE_MAX: usize = 24 << 10;
/// Bytes that a program may write to stdout, and as many to stderr; a token has a few thousand.
pub(crate) const PROGRAM_OUTPUT_MAX: usize = 64 << 10;
/// Bytes of an unfinished line for a person.
pub(crate) const PROMPT_LINE_MAX: usize = 4 << 10;

/// Time of a program's whole run.
pub(crate) const PROGRAM: Duration = Duration::from_secs(10);
/// Time after which a running program is looked at again.
pub(crate) const PROGRAM_SLICE: Duration = Duration::from_millis(10);
/// Time to wait for the end of a program's pipes after the program has ended.
pub(crate) const PROGRAM_PIPES: Duration = Duration::from_secs(1);
/// The longest time between two looks at a caller who waits, who may have been interrupted.
pub(crate) const WATCH: Duration = Duration::from_millis(25);
/// Time of a call whose embedder allows more than the clock can tell.
pub(crate) const CALL_ENDLESS: Duration = Duration::from_hours(24 * 365);
/// Time of one whole call, unless the embedder sets another.
pub(crate) const CALL: Duration = Duration::from_secs(120);
/// Time of one request for a token, unless calls may take longer: a metadata service that is being
/// updated may need 70 s.
pub(crate) const TOKEN_REQUEST: Duration = Duration::from_secs(120);
/// Time of name lookup, TCP and TLS of one connection.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);
/// Time from the request to the first byte of the response, unless a component of an embedder's own
/// sets another.
#[cfg(feature = "jit")]
pub(crate) const FIRST_BYTE: Duration = Duration::from_secs(60);
/// Time after which idle connections are closed, which is before the usual 60 s of load balancers
/// and firewalls.
pub(crate) const IDLE: Duration = Duration::from_secs(50);
/// Idle connections that are kept to one server.
pub(crate) const IDLE_PER_SERVER: usize = 64;
/// Time of connecting to the agent, which is on this machine: with what else a program does, it has ended
/// within a second.
pub(crate) const AGENT_CONNECT: Duration = Duration::from_millis(800);
/// Time for which the agent may be silent before it is asked whether it is well: a vault may be slow, but an agent that
/// is stopped accepts connections all the same.
pub(crate) const AGENT_SILENCE: Duration = Duration::from_secs(2);
/// Time after which a silent agent is asked again.
pub(crate) const AGENT_SILENCE_AGAIN: Duration = Duration::from_secs(10);
/// Time that it has to say so: much more than a busy one needs.
pub(crate) const AGENT_PROBE: Duration = Duration::from_secs(3);
/// Time that the agent may take to receive a request.
pub(crate) const AGENT_SEND: Duration = Duration::from_secs(5);
/// Time from the first byte of the agent's response, which it has whole, to the last.
pub(crate) const AGENT_REST: Duration = Duration::from_secs(10);
/// Pause before a unix socket with a full queue is tried again.
pub(crate) const UNIX_PAUSE: Duration = Duration::from_millis(5);
/// The longest time for which the agent holds a question about a new version back.
pub(crate) const AGENT_WAIT: Duration = Duration::from_secs(300);
/// Vaults whose budget of requests is remembered, unless more are in use.
pub(crate) const BUDGETS_KEPT: usize = 256;
/// The shortest time after which a request that is not to be sent yet asks again.
pub(crate) const BUDGET_TICK: Duration = Duration::from_millis(1);
/// The longest time for which a vault may have itself left alone.
pub(crate) const HOLD_MAX: Duration = Duration::from_mins(15);
/// The longest time that is added to it at random.
pub(crate) const HOLD_SPREAD: Duration = Duration::from_secs(10);
/// A random part of this time a vault that throttles is left alone when it does not say for how long. It doubles each
/// time, as Key Vault's guidance has it.
/// <https://learn.microsoft.com/azure/key-vault/general/overview-throttling>
pub(crate) const THROTTLED: Duration = Duration::from_secs(1);
/// The longest of these times: that in which Key Vault counts requests.
pub(crate) const THROTTLED_MAX: Duration = Duration::from_secs(10);
/// Interval in which a guest in a long computation yields the thread.
pub(crate) const EPOCH: Duration = Duration::from_millis(50);
/// Lifetime of a cached response that states none: zero.
pub(crate) const UNSTATED_LIFETIME: Duration = Duration::ZERO;

/// A time that the component states.
pub(crate) fn milliseconds(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}

#[cfg(feature = "lend")]
pub(crate) use lent::*;

/// Limits of a lent endpoint.
#[cfg(feature = "lend")]
mod lent {
    use std::time::Duration;

    /// Bytes of a lent request's header section.
    pub(crate) const LENT_HEADERS_MAX: usize = 32 << 10;
    /// Bytes of a lent request's body; requests for tokens have short ones or none.
    pub(crate) const LENT_BODY_MAX: usize = 64 << 10;
    /// Connections to a lent endpoint at once: for another one, one that is not busy is closed.
    pub(crate) const LENT_CONNECTIONS: usize = 4_096;
    /// File descriptors of the process that connections to a lent endpoint leave to everything else.
    pub(crate) const LENT_DESCRIPTORS_LEFT: usize = 256;
    /// Connections that the system may hold until they are accepted; it may allow fewer.
    pub(crate) const LENT_BACKLOG: i32 = 4_096;
    /// Age below which a connection to a lent endpoint is not closed for another one.
    pub(crate) const LENT_YOUNG: Duration = Duration::from_millis(50);
    /// Time in which a connection to a lent endpoint must have shown the secret.
    pub(crate) const LENT_STRANGER: Duration = Duration::from_secs(5);
    /// Time to read a lent request's headers, including the wait for a request on a kept-alive
    /// connection.
    pub(crate) const LENT_HEADERS: Duration = Duration::from_secs(50);
    /// Time to read a lent request's body.
    pub(crate) const LENT_BODY: Duration = Duration::from_secs(10);
    /// Pause after the system could not accept a connection.
    pub(crate) const LENT_PAUSE: Duration = Duration::from_millis(100);
}

#[cfg(feature = "plugins")]
pub(crate) use plugins::*;

/// Limits of a plugin, and of its calls, each of which has an instance of its own.
#[cfg(feature = "plugins")]
mod plugins {
    use std::time::Duration;

    /// Bytes that the memories of an instance have together, unless the embedder sets another
    /// number.
    pub(crate) const PLUGIN_MEMORY: usize = 64 << 20;
    /// The highest number of bytes that an embedder can set.
    pub(crate) const PLUGIN_MEMORY_MAX: usize = 4 << 30;
    /// Addresses that are reserved for each memory: as many as there are, so that no access needs a
    /// bounds check.
    pub(crate) const PLUGIN_MEMORY_RESERVED: u64 = 4 << 30;
    /// Time of compiling a plugin, unless the embedder sets another.
    pub(crate) const PLUGIN_COMPILE: Duration = Duration::from_mins(1);
    /// Bytes of address space of the process that compiles a plugin, besides those of this process.
    pub(crate) const PLUGIN_COMPILE_MEMORY: u64 = 2 << 30;
    /// Bytes of a plugin's machine code; a Python engine has about 60 MiB.
    pub(crate) const PLUGIN_CODE_MAX: usize = 512 << 20;
    /// Characters of an error that has parts of the plugin's file in it.
    pub(crate) const PLUGIN_SHOWN_MAX: usize = 1_000;
    /// Bytes of a result as text, in which a character may take several.
    pub(crate) const PLUGIN_RESULT_MAX: usize = 16 << 20;
    /// Time of one call, unless the embedder sets another.
    pub(crate) const PLUGIN_CALL: Duration = Duration::from_secs(30);
    /// Calls that run at once, unless the embedder sets another number; further calls wait.
    pub(crate) const PLUGIN_CONCURRENCY: usize = 4;
    /// The highest number of calls at once that an embedder can set.
    pub(crate) const PLUGIN_CONCURRENCY_MAX: usize = 64;
    /// Core instances of one component, and as many tables: a component with an interpreter has
    /// dozens.
    pub(crate) const PLUGIN_INSTANCES_MAX: usize = 1_000;
    /// Memories of one component.
    pub(crate) const PLUGIN_MEMORIES_MAX: usize = 16;
    /// Entries of all tables together; each takes some bytes of the host's memory.
    pub(crate) const PLUGIN_ELEMENTS_MAX: usize = 1 << 20;
    /// Resource handles that an instance has at once.
    pub(crate) const PLUGIN_HANDLES_MAX: usize = 4_096;
    /// Bytes of the host's memory that one call from a plugin to the host, or one result, may take.
    pub(crate) const PLUGIN_PASSED_MAX: usize = 8 << 20;
    /// Bytes of a reference that a plugin asks for.
    pub(crate) const PLUGIN_REFERENCE_MAX: usize = 4 << 10;
    /// Bytes of a call as text.
    pub(crate) const PLUGIN_TEXT_MAX: usize = 256 << 10;
    /// Bytes of a call as text that is parsed on the caller's stack.
    pub(crate) const PLUGIN_TEXT_SHORT: usize = 1 << 10;
    /// Bytes of stack for each byte of a longer text, which is enough for a build without
    /// optimisation.
    pub(crate) const PLUGIN_TEXT_STACK: usize = 1 << 10;
    /// Random bytes that a plugin gets at once.
    pub(crate) const PLUGIN_RANDOM_MAX: u64 = 64 << 10;
    /// Bytes of a plugin's output that are passed on.
    pub(crate) const PLUGIN_OUTPUT_MAX: usize = 64 << 10;
    /// Secrets that a plugin has open at once, each of 25,600 bytes at most.
    pub(crate) const PLUGIN_SECRETS_MAX: usize = 256;
    /// Secrets and pages that a plugin may ask for in one call, granted or not.
    pub(crate) const PLUGIN_CALLS_MAX: usize = 1_000;
}
