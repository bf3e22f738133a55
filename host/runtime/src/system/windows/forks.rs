//! Windows has no `fork`.

/// Does nothing.
pub(crate) fn watch(_: extern "C" fn(), _: extern "C" fn()) {}
