//! What is given to the caller as a pointer, and freed by a function of its own.

/// Frees what was given to the caller by `Box::into_raw`; NULL is ignored.
///
/// # Safety
/// `pointer` is NULL, or from `Box::into_raw` of this type and not freed yet.
pub(crate) unsafe fn free<T>(pointer: *mut T) {
    if !pointer.is_null() {
        // SAFETY: by the contract of this function.
        drop(unsafe { Box::from_raw(pointer) });
    }
}
