//! Every limit and timeout, with its unit and its reason.

use std::time::Duration;

/// Bytes of a request's body: a value of 25,600 bytes with each byte escaped, and 15 full tags.
pub(crate) const REQUEST_BODY: usize = 512 * 1024;
/// Bytes of a body on the control port: one grant.
pub(crate) const CONTROL_BODY: usize = 4 * 1024;
/// A client that does not finish its header by then is dropped.
pub(crate) const HEADER_READ: Duration = Duration::from_secs(30);
/// Before accepting again when the system has no descriptor left.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// A TLS handshake that is not done by then is dropped.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);
/// Connecting to a host that is tunnelled to.
pub(crate) const TUNNEL_CONNECT: Duration = Duration::from_secs(30);
/// Runtime threads: a job's requests are few, a benchmark has as many cores for itself.
pub(crate) const THREADS: usize = 2;
/// Waiting for name lookups that are under way when it stops.
pub(crate) const SHUTDOWN: Duration = Duration::from_secs(1);
/// Entries kept in the request log; the oldest go first.
pub(crate) const LOG_ENTRIES: usize = 10_000;
/// Verified tokens remembered; reached only by a client that asks anew for each request.
pub(crate) const VERIFIED_TOKENS: usize = 1_024;
/// Seconds a token lives, as long as the ones that Azure ML gives out.
pub(crate) const TOKEN_LIFETIME: u64 = 86_400;
/// Seconds before its issue from which a token is valid, as in the real ones.
pub(crate) const TOKEN_BACKDATED: u64 = 300;
/// Days until the CA and its certificates expire.
pub(crate) const CERTIFICATE_DAYS: i64 = 365;

/// Characters of a secret's name.
/// <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates>
pub(crate) const SECRET_NAME: usize = 127;
/// Bytes of a secret's value.
/// <https://learn.microsoft.com/azure/key-vault/secrets/about-secrets>
pub(crate) const SECRET_VALUE: usize = 25_600;
/// Characters of a content type.
pub(crate) const CONTENT_TYPE: usize = 255;
/// Tags of one secret.
pub(crate) const TAGS: usize = 15;
/// Characters of a tag's name, and of its value.
pub(crate) const TAG: usize = 512;
/// Items of one page, and the default.
pub(crate) const PAGE: usize = 25;
/// Days that a deleted secret can be recovered, as vaults say by default.
pub(crate) const RECOVERABLE_DAYS: u32 = 90;
