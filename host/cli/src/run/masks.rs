//! The mask of a command's streams, which may come later than the first of them, and change.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::mask::Mask;

/// The mask of all streams. Until there is one, nothing is carried; it may be replaced meanwhile.
#[derive(Default)]
pub(super) struct Masks {
    current: Mutex<Option<Arc<Mask>>>,
    came: Condvar,
}

impl Masks {
    /// Masks what is read from now on by this.
    pub(super) fn set(&self, mask: Mask) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(mask));
        self.came.notify_all();
    }

    pub(super) fn current(&self) -> Arc<Mask> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(mask) = &*current {
                return Arc::clone(mask);
            }
            current = self.came.wait(current).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
