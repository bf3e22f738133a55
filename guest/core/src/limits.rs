//! Every time-out, size and count, with unit and reason. No other module has such a number.

use core::time::Duration;

const fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

const fn s(value: u64) -> Duration {
    Duration::from_secs(value)
}

/// The time-out of a call, unless `VAULTLET_TIMEOUT` is set: a metadata service under update may
/// need 70 s.
pub const CALL: Duration = s(120);
/// The longest `VAULTLET_TIMEOUT`: a day, so that sums of times cannot overflow.
pub const CALL_MAX: Duration = s(86_400);

/// The connect time-out for vaults: what a slow proxy needs.
pub const VAULT_CONNECT: Duration = s(10);
/// The response time-out for vaults, which take some seconds when they throttle.
pub const VAULT_FIRST_BYTE: Duration = s(30);
/// The connect time-out for identity endpoints, which are on this machine or this network.
pub const IDENTITY_CONNECT: Duration = s(2);
/// The response time-out for identity endpoints, which may ask the authority in turn.
pub const IDENTITY_FIRST_BYTE: Duration = s(60);
/// The time-out of the IMDS probe: outside Azure, packets to the address may be dropped silently. Also the
/// connect time-out for an identity endpoint that is not the only source, so that the next one is asked soon.
pub const PROBE: Duration = s(1);

/// The connect time-out for the token authority: what a slow proxy needs.
pub const AUTHORITY_CONNECT: Duration = s(10);
/// The response time-out for the token authority.
pub const AUTHORITY_FIRST_BYTE: Duration = s(30);
/// The lifetime of a signed assertion, in seconds: MSAL's.
pub const ASSERTION: i64 = 600;
/// Seconds between two polls for a device code, unless the authority names another interval. After
/// `slow_down` the interval grows by the same number.
/// <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code>
pub const DEVICE_INTERVAL: u64 = 5;
/// The lifetime of a device code, in seconds, unless the authority names another.
pub const DEVICE_LIFE: u64 = 1_800;

/// The largest key file of an Arc agent, in bytes: the limit of every SDK.
pub const ARC_KEY: usize = 4_096;
/// The largest file with a federated token or a user's token, in bytes.
pub const ASSERTION_FILE: usize = 64 * 1024;
/// The longest certificate chain as PEM, in bytes; usual chains have 3 or 4 certificates.
pub const CERTIFICATES: usize = 64 * 1024;
/// The longest output of a developer's tool, in bytes.
pub const LOGIN_OUTPUT: usize = 256 * 1024;
/// The longest response with a secret, in bytes: a value of 25,600, escaped to six times the
/// length, and 15 tags of 1,024 characters.
pub const VAULT_BODY: usize = 512 * 1024;
/// The longest page of a listing, in bytes: 25 items with 15 tags of 1,024 characters, with room
/// for escapes.
pub const PAGE_BODY: usize = 1024 * 1024;
/// The most pages of one listing: 100,000 secrets, and all the requests that a vault serves in ten
/// seconds.
/// <https://learn.microsoft.com/azure/key-vault/general/service-limits>
pub const PAGES: u64 = 4_000;
/// The longest link or marker of a next page, in bytes; real ones have some hundreds.
pub const MARKER: usize = 8 * 1024;
/// The longest token response, in bytes: tokens have 1 to 3 KiB, and 10 KiB with many groups.
pub const TOKEN_BODY: usize = 64 * 1024;
/// The longest query that the identity endpoint parses, in bytes.
pub const TARGET: usize = 4 * 1024;
/// The longest claims of a token request, decoded, in bytes.
pub const CLAIMS: usize = 16 * 1024;
/// The longest claim of a token that is shown, in bytes: an Azure resource id.
pub const CLAIM: usize = 512;
/// The longest reference, in bytes: a host of 253, a name of 127, a version of 32, and a JSON pointer.
pub const REFERENCE: usize = 2 * 1024;
/// The longest excerpt of a server's text in an error message, in characters.
pub const EXCERPT: usize = 200;
/// The most tokens, and the most vaults, that one instance caches.
pub const REMEMBERED: usize = 64;

/// Seconds before expiry from which a token counts as expired: the margin of every SDK.
pub const EXPIRY_MARGIN: i64 = 300;
/// The lifetime, in seconds, from which a token is renewed at half of it: MSAL's.
pub const HALF_LIFE_FROM: i64 = 7_200;
/// Seconds between two attempts to renew a token that is still valid: those of azure-core.
pub const RENEWAL_GAP: i64 = 30;
/// Seconds for which an instance reuses a token of the host's identity endpoint without a request. It is
/// short because that endpoint has the cache in which tokens are replaced.
pub const MOMENT: i64 = 5;
/// Seconds for which a failure may be cached.
pub const FAILURE: i64 = 30;

/// The retry policy for one kind of server.
#[derive(Debug)]
pub struct Retries {
    /// The number of retries after a transient status.
    pub count: u32,
    /// The delay before the first retry, which doubles each time.
    pub base: Duration,
    /// The longest delay, unless `Retry-After` asks for more.
    pub cap: Duration,
    /// Whether a status is transient.
    pub transient: fn(u16) -> bool,
    /// Replaces `base` after a 410, which means that the service is being updated.
    pub gone: Option<Duration>,
    /// Whether a 400 that names a time to wait is retried once.
    pub once_after_400: bool,
}

/// After 0.8, 1.6 and 3.2 s, as in most SDKs.
const USUAL: Retries = Retries {
    count: 3,
    base: ms(800),
    cap: s(60),
    transient: usual,
    gone: None,
    once_after_400: false,
};
/// Retries for vaults.
pub static VAULT: Retries = USUAL;
/// Retries for identity endpoints other than IMDS.
pub static IDENTITY: Retries = USUAL;
/// Retries for the token authority.
pub static AUTHORITY: Retries = USUAL;
/// Retries for IMDS: after 0.8 to 12.8 s; after a 410, which may last for 70 s, 5, 10, 20 and 40 s.
/// <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#retry-guidance>
pub static IMDS: Retries =
    Retries { count: 5, transient: imds, gone: Some(s(5)), once_after_400: true, ..USUAL };
/// No retries: for the probe, and for endpoints of the host, which retries itself.
pub static ONCE: Retries = Retries { count: 0, base: ms(0), cap: ms(0), transient: never, ..USUAL };

/// Quick retries of requests without a response (refused, unreachable, broken), for a server that
/// restarts.
pub const TRANSPORT_TRIES: u32 = 2;
/// The delay before the first of those retries, which doubles.
pub const TRANSPORT_BASE: Duration = ms(200);

fn usual(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

fn imds(status: u16) -> bool {
    matches!(status, 404 | 408 | 410 | 429 | 500..=599)
}

fn never(_: u16) -> bool {
    false
}
