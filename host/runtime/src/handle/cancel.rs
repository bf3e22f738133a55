//! Cancels calls from another thread.

use std::fmt;

use tokio_util::sync::CancellationToken;

/// Cancels every call that was made with it, now and later; see
/// [`Vaultlet::with_cancel`](crate::Vaultlet::with_cancel). Clones share one state.
#[derive(Clone, Default)]
pub struct Cancel(CancellationToken);

impl Cancel {
    /// Creates a value that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels the calls. May be called from any thread, and more than once.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether [`Cancel::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    pub(crate) async fn cancelled(&self) {
        self.0.cancelled().await;
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cancel({})", self.is_cancelled())
    }
}
