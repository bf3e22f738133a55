//! The secrets that are kept: by key, by when they were asked for last, and by when there is something to do for them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tokio::time::Instant;
use vaultlet_host::Secret;

use crate::limits;

use super::key::Key;

/// A secret that is kept.
pub(super) struct Kept {
    pub(super) secret: Arc<Secret>,
    /// When somebody asked for it last.
    pub(super) asked: Instant,
    /// The end of its time.
    pub(super) end: Instant,
    /// When to ask anew.
    pub(super) ask: Instant,
    /// Questions that failed since the last success.
    pub(super) failures: u32,
    /// Whether it is to be asked for anew whatever its time.
    pub(super) is_outdated: bool,
}

/// A secret with its places.
struct Placed {
    kept: Kept,
    bytes: usize,
    turn: u64,
    due: Instant,
}

pub(super) struct Store {
    secrets: HashMap<Key, Placed>,
    /// Keys by when they were asked for last.
    order: BTreeMap<u64, Key>,
    turns: u64,
    due: BTreeSet<(Instant, Key)>,
    bytes: usize,
    most_secrets: usize,
    most_bytes: usize,
}

impl Store {
    pub(super) fn new(most_secrets: usize, most_bytes: usize) -> Self {
        Self {
            secrets: HashMap::new(),
            order: BTreeMap::new(),
            turns: 0,
            due: BTreeSet::new(),
            bytes: 0,
            most_secrets: most_secrets.max(1),
            most_bytes,
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Kept> {
        self.secrets.get(key).map(|placed| &placed.kept)
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut Kept> {
        self.secrets.get_mut(key).map(|placed| &mut placed.kept)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Kept)> {
        self.secrets.iter().map(|(key, placed)| (key, &placed.kept))
    }

    pub(super) fn len(&self) -> usize {
        self.secrets.len()
    }

    /// Keeps a secret in place of the one before it. When it was asked for last stays. Those that were not asked for
    /// the longest go when there is no room.
    pub(super) fn insert(&mut self, key: &Key, mut kept: Kept) {
        let before = self.take(key);
        let bytes = size(key, &kept.secret);
        while self.secrets.len() >= self.most_secrets || self.bytes + bytes > self.most_bytes {
            let Some(unasked) = self.order.first_key_value().map(|(_, key)| key.clone()) else {
                break;
            };
            self.remove(&unasked);
        }
        let turn = match before {
            Some(before) => {
                kept.asked = before.kept.asked;
                before.turn
            }
            None => self.next_turn(),
        };
        let due = kept.ask;
        self.bytes += bytes;
        self.order.insert(turn, key.clone());
        self.due.insert((due, key.clone()));
        self.secrets.insert(key.clone(), Placed { kept, bytes, turn, due });
    }

    pub(super) fn remove(&mut self, key: &Key) {
        drop(self.take(key));
    }

    /// Somebody has asked for it.
    pub(super) fn touch(&mut self, key: &Key, now: Instant) {
        let turn = self.next_turn();
        if let Some(placed) = self.secrets.get_mut(key) {
            self.order.remove(&placed.turn);
            self.order.insert(turn, key.clone());
            (placed.turn, placed.kept.asked) = (turn, now);
        }
    }

    /// There is something to do for it then.
    pub(super) fn schedule(&mut self, key: &Key, at: Instant) {
        if let Some(placed) = self.secrets.get_mut(key) {
            self.due.remove(&(placed.due, key.clone()));
            self.due.insert((at, key.clone()));
            placed.due = at;
        }
    }

    /// The secret for which there is something to do first, and when.
    pub(super) fn first_due(&self) -> Option<(Instant, Key)> {
        self.due.first().cloned()
    }

    fn take(&mut self, key: &Key) -> Option<Placed> {
        let placed = self.secrets.remove(key)?;
        self.bytes -= placed.bytes;
        self.order.remove(&placed.turn);
        self.due.remove(&(placed.due, key.clone()));
        Some(placed)
    }

    fn next_turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }
}

/// The bytes that a secret counts for.
fn size(key: &Key, secret: &Secret) -> usize {
    let properties = secret.properties();
    let texts = [&properties.content_type, &properties.kid, &properties.version];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let tags: usize = properties.tags.iter().map(|(name, value)| name.len() + value.len()).sum();
    let names = properties.vault.len() + properties.name.len() + key.reference().len();
    limits::ENTRY + secret.reveal().len() + texts + tags + names
}
