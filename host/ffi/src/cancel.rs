//! Cancelling calls from outside.

use vaultlet_host::Cancel;

use crate::boxed::free;

/// A cancellation: cancels the calls that name it in their `vaultlet_call`. Any thread may use it at any
/// time.
pub struct vaultlet_cancel(pub(crate) Cancel);

/// Creates a cancellation.
#[unsafe(no_mangle)]
pub extern "C" fn vaultlet_cancel_new() -> *mut vaultlet_cancel {
    Box::into_raw(Box::new(vaultlet_cancel(Cancel::new())))
}

/// Cancels all calls that name a cancellation, those that run and those made later: they fail with the
/// id `cancelled`.
///
/// # Safety
/// `cancel` is NULL or from `vaultlet_cancel_new`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_cancel_now(cancel: *const vaultlet_cancel) {
    // SAFETY: by the contract of this function.
    if let Some(cancel) = unsafe { cancel.as_ref() } {
        cancel.0.cancel();
    }
}

/// Frees a cancellation; NULL is ignored. Calls that name it continue.
///
/// # Safety
/// `cancel` is NULL, or from `vaultlet_cancel_new` and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_cancel_free(cancel: *mut vaultlet_cancel) {
    // SAFETY: each comes from `vaultlet_cancel_new`.
    unsafe { free(cancel) };
}
