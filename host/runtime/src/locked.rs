//! Memory that is never written to swap space.
//! <https://man7.org/linux/man-pages/man2/mlock.2.html>

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::system::memory::{lock, page_size, unlock};

/// How many locks there are on each page, by its address. The system does not count them: several values share a
/// page, which must stay locked until the last of them is gone.
static PAGES: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

/// Keeps the pages of some bytes in memory until it is dropped, which must be before the bytes are freed.
pub(crate) struct Locked {
    pages: RangeInclusive<usize>,
}

impl Locked {
    /// Locks the pages; `None` if the system does not allow it, or there are no bytes.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        let size = page_size();
        let first = bytes.as_ptr().addr();
        let last = first + bytes.len().checked_sub(1)?;
        let pages = first / size..=last / size;
        let mut counts = counts();
        let mut done: Vec<usize> = Vec::new();
        for page in pages.clone() {
            let count = counts.entry(page).or_default();
            if *count == 0 && !lock(page * size, size) {
                counts.remove(&page);
                for page in done {
                    release(&mut counts, page);
                }
                return None;
            }
            *count += 1;
            done.push(page);
        }
        Some(Self { pages })
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        let mut counts = counts();
        for page in self.pages.clone() {
            release(&mut counts, page);
        }
    }
}

fn release(counts: &mut BTreeMap<usize, usize>, page: usize) {
    let Some(count) = counts.get_mut(&page) else { return };
    *count -= 1;
    if *count == 0 {
        counts.remove(&page);
        let size = page_size();
        unlock(page * size, size);
    }
}

fn counts() -> MutexGuard<'static, BTreeMap<usize, usize>> {
    PAGES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(bytes: &[u8]) -> Option<usize> {
        counts().get(&(bytes.as_ptr().addr() / page_size())).copied()
    }

    #[test]
    fn a_page_stays_locked_until_its_last_value_is_gone() {
        // Pages of our own, so that no other test counts there.
        let size = page_size();
        let memory = vec![0_u8; 4 * size];
        let start = memory.as_ptr().addr().next_multiple_of(size) - memory.as_ptr().addr();
        let (Some(first), Some(second), Some(long)) = (
            memory.get(start..start + 8),
            memory.get(start + 8..start + 16),
            memory.get(start..start + size + 1),
        ) else {
            unreachable!("there are three whole pages");
        };
        let Some(locked) = Locked::new(first) else {
            eprintln!("SKIPPED: this system does not allow memory to be locked");
            return;
        };
        assert_eq!(count(first), Some(1));
        let other = Locked::new(second).unwrap();
        let both = Locked::new(long).unwrap();
        assert_eq!((count(first), count(long.get(size..).unwrap())), (Some(3), Some(1)));
        drop(locked);
        drop(both);
        assert_eq!((count(second), count(long.get(size..).unwrap())), (Some(1), None));
        drop(other);
        assert_eq!(count(first), None);
        assert!(Locked::new(&[]).is_none());
    }
}
