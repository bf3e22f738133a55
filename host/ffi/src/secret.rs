//! Secrets, whose values are scrubbed when they are freed.

use std::ffi::c_char;
use std::ptr;

use vaultlet_host::Secret;
use zeroize::Zeroizing;

use crate::properties::{Shown, vaultlet_properties};

/// One version of one secret, with its value.
pub struct vaultlet_secret {
    value: Value,
    shown: Shown,
}

/// A text that is scrubbed, with a NUL after it.
pub(crate) struct Value(Zeroizing<Vec<u8>>);

impl Value {
    pub(crate) fn of(text: &str) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() + 1));
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
        Self(bytes)
    }

    /// # Safety
    /// `len` is NULL or may be written.
    pub(crate) unsafe fn show(&self, len: *mut usize) -> *const c_char {
        if !len.is_null() {
            // SAFETY: as the caller says.
            unsafe { *len = self.0.len().saturating_sub(1) };
        }
        self.0.as_ptr().cast()
    }
}

/// For the caller to free.
pub(crate) fn give(secret: &Secret) -> *mut vaultlet_secret {
    let shown = Shown::of(std::slice::from_ref(secret.properties()));
    Box::into_raw(Box::new(vaultlet_secret { value: Value::of(secret.reveal()), shown }))
}

/// Several secrets, in the order in which they were asked for.
#[repr(C)]
pub struct vaultlet_secrets {
    /// Each belongs to this, and is freed with it.
    pub items: *const *mut vaultlet_secret,
    /// How many.
    pub len: usize,
}

#[repr(C)]
struct Secrets {
    shown: vaultlet_secrets,
    items: Vec<*mut vaultlet_secret>,
}

/// For the caller to free.
pub(crate) fn give_all(secrets: &[Secret]) -> *mut vaultlet_secrets {
    let items: Vec<_> = secrets.iter().map(give).collect();
    let shown = vaultlet_secrets { items: items.as_ptr(), len: items.len() };
    Box::into_raw(Box::new(Secrets { shown, items })).cast()
}

/// The plaintext: UTF-8 of `*len` bytes, with a NUL after them; it may be empty, and may hold a NUL.
/// It lives until the secret is freed, which scrubs it. `len` may be NULL. NULL gives NULL.
///
/// # Safety
/// `secret` is NULL or from vaultlet; `len` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_secret_reveal(
    secret: *const vaultlet_secret,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: as the caller says.
    unsafe { secret.as_ref().map_or(ptr::null(), |secret| secret.value.show(len)) }
}

/// All but the value, for as long as the secret lives. NULL gives NULL.
///
/// # Safety
/// It is NULL or from vaultlet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_secret_properties(
    secret: *const vaultlet_secret,
) -> *const vaultlet_properties {
    // SAFETY: as the caller says.
    let secret = unsafe { secret.as_ref() };
    secret.and_then(|secret| secret.shown.items().first()).map_or(ptr::null(), ptr::from_ref)
}

/// Scrubs and frees a secret; NULL is nothing. Not for those of `vaultlet_secrets`.
///
/// # Safety
/// It is NULL or from vaultlet, and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_secret_free(secret: *mut vaultlet_secret) {
    if !secret.is_null() {
        // SAFETY: each comes from `give`.
        drop(unsafe { Box::from_raw(secret) });
    }
}

/// Scrubs and frees several secrets; NULL is nothing.
///
/// # Safety
/// They are NULL or from vaultlet, and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_secrets_free(secrets: *mut vaultlet_secrets) {
    if secrets.is_null() {
        return;
    }
    // SAFETY: each comes from `give_all`, where it is the first member of this.
    let secrets = unsafe { Box::from_raw(secrets.cast::<Secrets>()) };
    for secret in &secrets.items {
        // SAFETY: they are freed here only.
        unsafe { vaultlet_secret_free(*secret) };
    }
}
