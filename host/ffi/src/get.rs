//! Getting secrets.

use std::ffi::{c_char, c_void};
use std::slice;

use vaultlet_host::{Error, Vaultlet};

use crate::call::{vaultlet_call, with_call, with_text};
use crate::error::vaultlet_error;
use crate::handle::vaultlet_handle;
use crate::operation::{then, wait};
use crate::secret::{vaultlet_secret, vaultlet_secrets};
use crate::text::{text, usage};

/// Gets a secret and waits for it. The first secret of a vault takes two requests, each further one
/// takes one.
///
/// `reference` is `akv://<vault>/<name>[/<version>][?json=<pointer>]`, the secret's own URL, or
/// `@Microsoft.KeyVault(…)`. `call` may be NULL.
///
/// # Safety
/// Each pointer is NULL or valid; `out` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_get(
    handle: *const vaultlet_handle,
    reference: *const c_char,
    call: *const vaultlet_call,
    out: *mut *mut vaultlet_secret,
) -> *mut vaultlet_error {
    // SAFETY: by the contract of this function.
    unsafe {
        wait(out, || {
            let (vaultlet, reference) = with_text(handle, reference, "the reference", call)?;
            vaultlet.get_blocking(reference)
        })
    }
}

/// Gets several secrets at once and waits for them. The secrets are in the order of the references. If
/// one of them cannot be got, the call fails with the error of that one.
///
/// # Safety
/// `references` is NULL or points to `len` pointers; otherwise as for `vaultlet_get`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_get_many(
    handle: *const vaultlet_handle,
    references: *const *const c_char,
    len: usize,
    call: *const vaultlet_call,
    out: *mut *mut vaultlet_secrets,
) -> *mut vaultlet_error {
    // SAFETY: by the contract of this function.
    unsafe {
        wait(out, || {
            let (vaultlet, references) = with_texts(handle, references, len, call)?;
            vaultlet.get_many_blocking(&references)
        })
    }
}

/// The callback of `vaultlet_get_then`: receives a secret or an error (the other is NULL), and frees it.
pub type vaultlet_on_secret = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        error: *mut vaultlet_error,
        secret: *mut vaultlet_secret,
    ),
>;

/// The callback of `vaultlet_get_many_then`: receives secrets or an error (the other is NULL), and frees
/// them.
pub type vaultlet_on_secrets = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        error: *mut vaultlet_error,
        secrets: *mut vaultlet_secrets,
    ),
>;

/// Gets a secret like `vaultlet_get`, but calls `told` back instead of waiting: exactly once, on a
/// thread of the library, or, if the call cannot be started, before this function returns. A callback
/// must not call a function that waits.
///
/// # Safety
/// As for `vaultlet_get`; `told` may be called with `context` on another thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_get_then(
    handle: *const vaultlet_handle,
    reference: *const c_char,
    call: *const vaultlet_call,
    told: vaultlet_on_secret,
    context: *mut c_void,
) {
    // SAFETY: by the contract of this function.
    unsafe {
        then(
            told,
            context,
            || with_text(handle, reference, "the reference", call),
            |(vaultlet, reference), told| vaultlet.get_then(reference, told.result()),
        );
    }
}

/// Gets several secrets like `vaultlet_get_many`, and calls back like `vaultlet_get_then`.
///
/// # Safety
/// As for `vaultlet_get_many` and `vaultlet_get_then`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_get_many_then(
    handle: *const vaultlet_handle,
    references: *const *const c_char,
    len: usize,
    call: *const vaultlet_call,
    told: vaultlet_on_secrets,
    context: *mut c_void,
) {
    // SAFETY: by the contract of this function.
    unsafe {
        then(
            told,
            context,
            || with_texts(handle, references, len, call),
            |(vaultlet, references), told| {
                let references = references.into_iter().map(str::to_owned).collect();
                vaultlet.get_many_then(references, told.result());
            },
        );
    }
}

/// The handle with the options of a call applied, and the references.
///
/// # Safety
/// Each pointer is NULL or valid, the references for `'a`; there are `len` of them.
unsafe fn with_texts<'a>(
    handle: *const vaultlet_handle,
    references: *const *const c_char,
    len: usize,
    call: *const vaultlet_call,
) -> Result<(Vaultlet, Vec<&'a str>), Error> {
    if references.is_null() && len > 0 {
        return Err(usage("getting secrets: the references are NULL".into(), "give an array"));
    }
    // SAFETY: by the contract of this function.
    unsafe {
        let given = if len == 0 { &[][..] } else { slice::from_raw_parts(references, len) };
        let references = given.iter().map(|one| text(*one, "a reference"));
        let references = references.collect::<Result<_, _>>()?;
        Ok((with_call(handle, call)?, references))
    }
}
