//! Every limit, time and count of the cache, one line each, with its unit and reason.

use std::time::Duration;

/// Time for which a secret is kept, unless the embedder sets another: that of AWS's agent.
pub(crate) const TTL: Duration = Duration::from_secs(300);
/// Time for which an old value serves after that, unless the embedder sets another: a day, in which somebody will
/// have mended the vault.
pub(crate) const STALE: Duration = Duration::from_secs(86_400);
/// Time of one question upstream, unless the embedder sets another.
pub(crate) const QUESTION: Duration = Duration::from_secs(120);
/// Secrets that are kept at once.
pub(crate) const SECRETS: usize = 10_000;
/// Bytes of them together, with their names and tags.
pub(crate) const BYTES: usize = 64 << 20;
/// Bytes that an entry takes besides its texts.
pub(crate) const ENTRY: usize = 512;
/// Refusals that are kept at once: enough for every secret of a node, and too few to fill memory.
pub(crate) const REFUSALS: usize = 1_000;
/// Time for which a refusal is kept.
pub(crate) const REFUSAL: Duration = Duration::from_secs(5);
/// Time after which a question counts as one that takes too long, so that an old value serves instead.
pub(crate) const SLOW: Duration = Duration::from_secs(2);
/// The longest pause after a question that failed, before the secret is asked for again in the background. It doubles
/// from a second, and a random part of it is waited for.
pub(crate) const PAUSE_MAX: Duration = Duration::from_secs(30);
/// The first of these pauses.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);
/// Age of a question up to which the answer "throttled" is not passed on where there is no old value: longer than the
/// ten seconds in which a vault counts its requests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);
/// Questions that the cache asks in the background at once. More would wait for each other in the handle, and hold up
/// those that somebody waits for.
pub(crate) const BACKGROUND: usize = 16;
/// Vaults whose first request is remembered, for the splay.
pub(crate) const VAULTS: usize = 4_096;
/// The longest time that a setting may be: longer ones would overflow the clock.
pub(crate) const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);
