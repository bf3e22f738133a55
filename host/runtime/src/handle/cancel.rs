//! Ending calls from outside.

use std::fmt;

use tokio_util::sync::CancellationToken;

/// Ends every call that was made with it, by [`Vaultlet::with_cancel`](crate::Vaultlet::with_cancel),
/// now and later. Clones are the same one.
#[derive(Clone, Default)]
pub struct Cancel(CancellationToken);

impl Cancel {
    /// One that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the calls. From any thread, as often as you like.
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
