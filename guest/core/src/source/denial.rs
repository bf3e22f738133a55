//! Why a source gave no token. The difference decides whether the chain goes on.

use alloc::string::String;

use crate::error::Error;

/// Why a source that was asked gave no token.
pub(super) enum Denial {
    /// The source turned out not to be configured here.
    Absent(String),
    /// The source is configured and failed.
    Failed(Error),
}

impl From<Error> for Denial {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
