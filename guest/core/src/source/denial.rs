//! Why a source gave no token: it is not there, or it failed. The difference decides about the chain.

use alloc::string::String;

use crate::error::Error;

/// Why a source gave no token.
pub(super) enum Denial {
    /// It is not there after all.
    Absent(String),
    /// It failed.
    Failed(Error),
}

impl From<Error> for Denial {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
