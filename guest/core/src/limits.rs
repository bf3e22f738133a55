//! Every time, size and count, with its unit and reason. Nothing else holds such a number.

use core::time::Duration;

const fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

const fn s(value: u64) -> Duration {
    Duration::from_secs(value)
}

/// A whole call unless `VAULTLET_TIMEOUT` says otherwise: a metadata service under update may need 70 s.
pub const CALL: Duration = s(120);
/// The longest `VAULTLET_TIMEOUT`: a day; nobody waits longer, and sums cannot overflow.
pub const CALL_MAX: Duration = s(86_400);

/// Connecting to a vault: what a slow proxy needs.
pub const VAULT_CONNECT: Duration = s(10);
/// A vault's answer: seconds when throttled, never a minute.
pub const VAULT_FIRST_BYTE: Duration = s(30);
/// Connecting to an identity endpoint: it is on this machine or this network.
pub const IDENTITY_CONNECT: Duration = s(2);
/// An identity endpoint's answer: it may ask the authority in turn.
pub const IDENTITY_FIRST_BYTE: Duration = s(60);
/// Finding out whether there is an IMDS, where its address may swallow packets.
pub const PROBE: Duration = s(1);

/// Connecting to the token authority: what a slow proxy needs.
pub const AUTHORITY_CONNECT: Duration = s(10);
/// The token authority's answer.
pub const AUTHORITY_FIRST_BYTE: Duration = s(30);
/// How long an assertion of ours is good, seconds: as MSAL.
pub const ASSERTION: i64 = 600;
/// Between two questions whether a device code was entered, unless the authority says otherwise,
/// seconds; by as much it grows when it says that this is too often.
/// <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code>
pub const DEVICE_INTERVAL: u64 = 5;
/// How long a device code may be entered, unless the authority says otherwise, seconds.
pub const DEVICE_LIFE: u64 = 1_800;

/// An Arc agent's key file, bytes: as every SDK.
pub const ARC_KEY: usize = 4_096;
/// A file with a federated token or a user's, bytes.
pub const ASSERTION_FILE: usize = 64 * 1024;
/// The certificates of a key as PEM, bytes; chains have 3 or 4.
pub const CERTIFICATES: usize = 64 * 1024;
/// What a developer's tool may print, bytes.
pub const LOGIN_OUTPUT: usize = 256 * 1024;
/// A vault's answer, bytes: 25,600 of value, six-fold escaped, 15 tags of 1,024 characters.
pub const VAULT_BODY: usize = 512 * 1024;
/// A page of a vault, bytes: 25 items with 15 tags of 1,024 characters, with room for escapes.
pub const PAGE_BODY: usize = 1024 * 1024;
/// Pages of one listing: 100,000 secrets, and ten seconds of all that a vault answers.
/// <https://learn.microsoft.com/azure/key-vault/general/service-limits>
pub const PAGES: u64 = 4_000;
/// What leads to the next page, bytes; real ones have some hundred.
pub const MARKER: usize = 8 * 1024;
/// A token answer, bytes: real tokens are 1 to 3 KiB, with many groups 10.
pub const TOKEN_BODY: usize = 64 * 1024;
/// The longest request target that the identity endpoint parses, bytes.
pub const TARGET: usize = 4 * 1024;
/// The longest claims, bytes, decoded.
pub const CLAIMS: usize = 16 * 1024;
/// The longest claim of a token that is shown, bytes: an Azure resource id.
pub const CLAIM: usize = 512;
/// The longest reference, bytes: host 253, name 127, version 32, a JSON pointer.
pub const REFERENCE: usize = 2 * 1024;
/// What is shown of a text that a service sent, characters.
pub const EXCERPT: usize = 200;
/// Tokens and vaults that one instance remembers.
pub const REMEMBERED: usize = 64;

/// A token that has less than this left is as good as expired, seconds: what every SDK does.
pub const EXPIRY_MARGIN: i64 = 300;
/// From this life on, a token is renewed at half of it, seconds: as MSAL.
pub const HALF_LIFE_FROM: i64 = 7_200;
/// Least time between two tries to renew a token that still serves, seconds: as azure-core.
pub const RENEWAL_GAP: i64 = 30;
/// Seconds for which an answer of the host's identity endpoint serves again without asking: that
/// endpoint's cache is the place where a token is replaced.
pub const MOMENT: i64 = 5;
/// How long a failure may be remembered, seconds.
pub const FAILURE: i64 = 30;

/// How one kind of server is asked again.
#[derive(Debug)]
pub struct Retries {
    /// Tries after the first.
    pub count: u32,
    /// Before the first of them; doubles each time.
    pub base: Duration,
    /// The longest single wait that is chosen here (a `Retry-After` may be longer).
    pub cap: Duration,
    /// The statuses that pass.
    pub transient: fn(u16) -> bool,
    /// The same `base` after a 410, which means that the service is being updated.
    pub gone: Option<Duration>,
}

/// Vaults: 0.8, 1.6, 3.2 s, as most SDKs.
pub static VAULT: Retries =
    Retries { count: 3, base: ms(800), cap: s(60), transient: usual, gone: None };
/// Identity endpoints other than IMDS: the same.
pub static IDENTITY: Retries =
    Retries { count: 3, base: ms(800), cap: s(60), transient: usual, gone: None };
/// The token authority: the same.
pub static AUTHORITY: Retries =
    Retries { count: 3, base: ms(800), cap: s(60), transient: usual, gone: None };
/// IMDS: 0.8 to 12.8 s; after a 410 5, 10, 20, 40 s, which makes the 70 s that it is said to need.
/// <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#retry-guidance>
pub static IMDS: Retries =
    Retries { count: 5, base: ms(800), cap: s(60), transient: imds, gone: Some(s(5)) };
/// No second try: the probe, and an endpoint that has tried already.
pub static ONCE: Retries =
    Retries { count: 0, base: ms(0), cap: ms(0), transient: never, gone: None };

/// Without an answer (refused, unreachable, broken): quick tries, for a server that restarts.
pub const TRANSPORT_TRIES: u32 = 2;
/// Before the first of them; doubles.
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
