//! Being told of a `fork`.

/// Has a lock taken before each `fork` of this process, and released after it, in the parent and in the child.
pub(crate) fn watch(before: extern "C" fn(), after: extern "C" fn()) {
    // SAFETY: the functions only take and release a lock.
    #[allow(unsafe_code, reason = "there is no safe way to be told of a fork")]
    unsafe {
        libc::pthread_atfork(Some(before), Some(after), Some(after));
    }
}
