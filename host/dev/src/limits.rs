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
/// Seconds that a token of the authority lives, unless its client understands claims challenges.
/// <https://learn.microsoft.com/entra/identity-platform/access-tokens#token-lifetime>
pub(crate) const AUTHORITY_TOKEN_LIFETIME: u64 = 3_599;
/// Bytes of a token request: an assertion with a long chain of certificates.
pub(crate) const TOKEN_BODY: usize = 64 * 1024;
/// Seconds by which a client's clock may be wrong.
pub(crate) const ASSERTION_SKEW: u64 = 300;
/// Keys of Arc that wait to be used; the oldest go first.
pub(crate) const ARC_KEYS: usize = 16;
/// Seconds that the token of a service connection lives, as in the real one.
pub(crate) const PIPELINE_TOKEN_LIFETIME: u64 = 600;
/// Seconds that the federated token in a file lives: nobody writes it anew.
pub(crate) const FEDERATED_TOKEN_LIFETIME: u64 = 30 * 86_400;
/// Bits of the RSA key of a client's certificate: the least that Entra takes.
pub(crate) const RSA_BITS: usize = 2048;
/// Bytes of a request to an identity endpoint: a short form.
pub(crate) const IDENTITY_BODY: usize = 16 * 1024;
/// Failures of token requests that can wait to be provoked.
pub(crate) const FAULTS: usize = 100;
/// Seconds that a device code can be approved.
pub(crate) const DEVICE_LIFETIME: u64 = 900;
/// Seconds between two polls: fewer than the real one's five, as nobody else asks here.
pub(crate) const DEVICE_INTERVAL: u64 = 1;
/// Seconds that a client has to wait longer after it was told to slow down.
/// <https://www.rfc-editor.org/rfc/rfc8628#section-3.5>
pub(crate) const SLOW_DOWN: u64 = 5;
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
