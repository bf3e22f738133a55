//! Every limit and timeout of the local Azure, with its unit and its reason.

use std::time::Duration;

/// Bytes of a request body at a vault: a value of 25,600 bytes with each byte escaped, and 15 tags
/// of full length.
pub(crate) const REQUEST_BODY: usize = 512 * 1024;
/// Bytes of a request body at the control port: one grant.
pub(crate) const CONTROL_BODY: usize = 4 * 1024;
/// Time for a client to send the header of a request before the connection is closed.
pub(crate) const HEADER_READ: Duration = Duration::from_secs(30);
/// Pause before the next accept when the system has run out of file descriptors.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// Time for a TLS handshake before the connection is closed.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);
/// Time for the proxy to connect to the host of a tunnel.
pub(crate) const TUNNEL_CONNECT: Duration = Duration::from_secs(30);
/// Threads of the runtime: a job sends few requests, and a benchmark needs the other cores.
pub(crate) const THREADS: usize = 2;
/// Time to wait at shutdown for name lookups in progress.
pub(crate) const SHUTDOWN: Duration = Duration::from_secs(1);
/// Entries kept in the request log; the oldest are dropped first.
pub(crate) const LOG_ENTRIES: usize = 10_000;
/// Verified tokens that are cached; only a client that gets a new token for each request reaches
/// this number.
pub(crate) const VERIFIED_TOKENS: usize = 1_024;
/// Lifetime of a token in seconds, the same as on Azure ML.
pub(crate) const TOKEN_LIFETIME: u64 = 86_400;
/// Seconds by which `nbf` precedes the issue of a token, as at Entra.
pub(crate) const TOKEN_BACKDATED: u64 = 300;
/// Lifetime in seconds of a token from the authority, unless the client handles claims challenges.
/// <https://learn.microsoft.com/entra/identity-platform/access-tokens#token-lifetime>
pub(crate) const AUTHORITY_TOKEN_LIFETIME: u64 = 3_599;
/// Bytes of a token request: an assertion with a long certificate chain.
pub(crate) const TOKEN_BODY: usize = 64 * 1024;
/// Tolerated clock difference in seconds when the authority checks an assertion.
pub(crate) const ASSERTION_SKEW: u64 = 300;
/// Unused Azure Arc keys that are kept; the oldest are removed first.
pub(crate) const ARC_KEYS: usize = 16;
/// Lifetime in seconds of a service connection's token, the same as at Azure Pipelines.
pub(crate) const PIPELINE_TOKEN_LIFETIME: u64 = 600;
/// Lifetime in seconds of the federated token in a file: long, because the file is never renewed.
pub(crate) const FEDERATED_TOKEN_LIFETIME: u64 = 30 * 86_400;
/// Bits of the RSA key of a client certificate: the minimum that Entra accepts.
pub(crate) const RSA_BITS: usize = 2048;
/// Bytes of a request body at an identity endpoint: a short form.
pub(crate) const IDENTITY_BODY: usize = 16 * 1024;
/// Injected failures that can be queued for later token requests.
pub(crate) const FAULTS: usize = 100;
/// Lifetime of a device code in seconds.
pub(crate) const DEVICE_LIFETIME: u64 = 900;
/// Seconds between two polls for a device code: shorter than Entra's five, so that tests are fast.
pub(crate) const DEVICE_INTERVAL: u64 = 1;
/// Seconds added to a client's polling interval by each `slow_down`.
/// <https://www.rfc-editor.org/rfc/rfc8628#section-3.5>
pub(crate) const SLOW_DOWN: u64 = 5;
/// Days until the CA certificate and the certificates signed by it expire.
pub(crate) const CERTIFICATE_DAYS: i64 = 365;

/// Characters of a secret name.
/// <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates>
pub(crate) const SECRET_NAME: usize = 127;
/// Bytes of a secret's value.
/// <https://learn.microsoft.com/azure/key-vault/secrets/about-secrets>
pub(crate) const SECRET_VALUE: usize = 25_600;
/// Characters of a secret's content type.
pub(crate) const CONTENT_TYPE: usize = 255;
/// Number of tags of a secret.
pub(crate) const TAGS: usize = 15;
/// Characters of a tag's name, and of a tag's value.
pub(crate) const TAG: usize = 512;
/// Items of one page: the maximum and the default.
pub(crate) const PAGE: usize = 25;
/// Days for which a deleted secret can be recovered: the default of a vault.
pub(crate) const RECOVERABLE_DAYS: u32 = 90;

/// Bytes of the file of `SSL_CERT_FILE`; the roots of a system have a quarter of a megabyte.
pub(crate) const ROOTS_MAX: u64 = 4 << 20;
