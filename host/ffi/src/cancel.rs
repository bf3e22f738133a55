//! Ending calls from outside.

use vaultlet_host::Cancel;

/// Ends the calls that were made with it. Every thread may use it at any time.
pub struct vaultlet_cancel(pub(crate) Cancel);

/// A new one.
#[unsafe(no_mangle)]
pub extern "C" fn vaultlet_cancel_new() -> *mut vaultlet_cancel {
    Box::into_raw(Box::new(vaultlet_cancel(Cancel::new())))
}

/// Ends the calls that were made with it, now and later, with an error of the id `cancelled`.
///
/// # Safety
/// It is NULL or from vaultlet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_cancel_now(cancel: *const vaultlet_cancel) {
    // SAFETY: as the caller says.
    if let Some(cancel) = unsafe { cancel.as_ref() } {
        cancel.0.cancel();
    }
}

/// Frees it; NULL is nothing. Calls that were made with it go on.
///
/// # Safety
/// It is NULL or from vaultlet, and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_cancel_free(cancel: *mut vaultlet_cancel) {
    if !cancel.is_null() {
        // SAFETY: each comes from `vaultlet_cancel_new`.
        drop(unsafe { Box::from_raw(cancel) });
    }
}
