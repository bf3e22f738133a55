//! Secrets, whose values are scrubbed when they are freed.

use std::ffi::c_char;
use std::ptr;

use vaultlet_host::Secret;
use zeroize::Zeroizing;

use crate::boxed::free;
use crate::operation::Answer;
use crate::properties::{PropertiesList, vaultlet_properties};

/// One version of one secret, with its value.
pub struct vaultlet_secret {
    value: Value,
    properties: PropertiesList,
}

/// A string with a NUL after it, which is scrubbed when it is dropped.
pub(crate) struct Value(Zeroizing<Vec<u8>>);

impl Value {
    pub(crate) fn new(text: &str) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() + 1));
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
        Self(bytes)
    }

    /// The string, and its length in `*len`.
    ///
    /// # Safety
    /// `len` is NULL or may be written.
    pub(crate) unsafe fn reveal(&self, len: *mut usize) -> *const c_char {
        if !len.is_null() {
            // SAFETY: by the contract of this function.
            unsafe { *len = self.0.len().saturating_sub(1) };
        }
        self.0.as_ptr().cast()
    }
}

impl Answer<Secret> for vaultlet_secret {
    fn give(secret: &Secret) -> *mut Self {
        let properties = PropertiesList::new(std::slice::from_ref(secret.properties()));
        Box::into_raw(Box::new(Self { value: Value::new(secret.reveal()), properties }))
    }
}

/// Several secrets, in the order of their references.
#[repr(C)]
pub struct vaultlet_secrets {
    /// The secrets, which are freed together with this struct and not one by one.
    pub items: *const *mut vaultlet_secret,
    /// The number of `items`.
    pub len: usize,
}

/// Several secrets with what they point to; the public part comes first.
#[repr(C)]
pub(crate) struct OwnedSecrets {
    secrets: vaultlet_secrets,
    items: Vec<*mut vaultlet_secret>,
}

impl OwnedSecrets {
    pub(crate) fn new<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Self {
        let items: Vec<_> = secrets.map(vaultlet_secret::give).collect();
        Self { secrets: vaultlet_secrets { items: items.as_ptr(), len: items.len() }, items }
    }

    /// The public part, which is valid as long as this lives.
    pub(crate) fn public(&self) -> vaultlet_secrets {
        vaultlet_secrets { items: self.secrets.items, len: self.secrets.len }
    }
}

impl Drop for OwnedSecrets {
    fn drop(&mut self) {
        for secret in &self.items {
            // SAFETY: the items come from `give` and are freed here only.
            unsafe { free(*secret) };
        }
    }
}

impl Answer<Vec<Secret>> for vaultlet_secrets {
    fn give(secrets: &Vec<Secret>) -> *mut Self {
        Box::into_raw(Box::new(OwnedSecrets::new(secrets.iter()))).cast()
    }
}

/// Returns the value of a secret: `*len` bytes of UTF-8 with a NUL after them. The value may be empty
/// and may contain NUL bytes. It lives until the secret is freed, which scrubs it. `len` may be NULL.
/// Returns NULL for NULL.
///
/// # Safety
/// `secret` is NULL or from vaultlet; `len` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_secret_reveal(
    secret: *const vaultlet_secret,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: by the contract of this function.
    unsafe { secret.as_ref().map_or(ptr::null(), |secret| secret.value.reveal(len)) }
}

/// Returns the properties of a secret, which live as long as the secret. Returns NULL for NULL.
///
/// # Safety
/// `secret` is NULL or from vaultlet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_secret_properties(
    secret: *const vaultlet_secret,
) -> *const vaultlet_properties {
    // SAFETY: by the contract of this function.
    let secret = unsafe { secret.as_ref() };
    secret.and_then(|secret| secret.properties.items().first()).map_or(ptr::null(), ptr::from_ref)
}

/// Scrubs and frees a secret; NULL is ignored. The items of a `vaultlet_secrets` must not be freed
/// by this function.
///
/// # Safety
/// `secret` is NULL, or from vaultlet and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_secret_free(secret: *mut vaultlet_secret) {
    // SAFETY: each comes from `Answer::give`.
    unsafe { free(secret) };
}

/// Scrubs and frees several secrets; NULL is ignored.
///
/// # Safety
/// `secrets` is NULL, or from vaultlet and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_secrets_free(secrets: *mut vaultlet_secrets) {
    // SAFETY: each is the first member of an `OwnedSecrets`.
    unsafe { free(secrets.cast::<OwnedSecrets>()) };
}
