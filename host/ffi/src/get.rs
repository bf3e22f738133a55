//! Getting secrets.

use std::ffi::{c_char, c_void};
use std::future::Future;
use std::ptr;
use std::slice;

use vaultlet_host::{Error, Secret, Vaultlet};

use crate::call::{vaultlet_call, with};
use crate::error::{give, vaultlet_error};
use crate::handle::{of, vaultlet_handle};
use crate::run::{Context, answered, then, wait};
use crate::secret::{give as give_secret, give_all, vaultlet_secret, vaultlet_secrets};
use crate::text::{text, usage};

/// # Safety
/// The pointers are NULL or as they should be.
unsafe fn start(
    handle: *const vaultlet_handle,
    reference: *const c_char,
    call: *const vaultlet_call,
) -> Result<(Vaultlet, impl Future<Output = Result<Secret, Error>> + Send + 'static), Error> {
    // SAFETY: as the caller says.
    unsafe {
        let reference = text(reference, "the reference")?.to_owned();
        let vaultlet = with(of(handle)?, call)?;
        let on = vaultlet.clone();
        Ok((vaultlet, async move { on.get(&reference).await }))
    }
}

/// # Safety
/// The pointers are NULL or as they should be.
unsafe fn start_many(
    handle: *const vaultlet_handle,
    references: *const *const c_char,
    len: usize,
    call: *const vaultlet_call,
) -> Result<(Vaultlet, impl Future<Output = Result<Vec<Secret>, Error>> + Send + 'static), Error> {
    if references.is_null() && len > 0 {
        return Err(usage("getting secrets: the references are NULL".into(), "give an array"));
    }
    // SAFETY: as the caller says.
    unsafe {
        let given = if len == 0 { &[][..] } else { slice::from_raw_parts(references, len) };
        let references: Result<Vec<_>, _> =
            given.iter().map(|one| text(*one, "a reference").map(str::to_owned)).collect();
        let references = references?;
        let vaultlet = with(of(handle)?, call)?;
        let on = vaultlet.clone();
        Ok((vaultlet, async move { on.get_many(&references).await }))
    }
}

/// Gets a secret: two requests for the first of a vault, one for each further one. It waits.
///
/// A reference is `akv://<vault>/<name>[/<version>][?json=<pointer>]`, the secret's own URL, or
/// `@Microsoft.KeyVault(…)`. `call` may be NULL.
///
/// # Safety
/// The pointers are NULL or as they should be; `out` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_get(
    handle: *const vaultlet_handle,
    reference: *const c_char,
    call: *const vaultlet_call,
    out: *mut *mut vaultlet_secret,
) -> *mut vaultlet_error {
    // SAFETY: as the caller says.
    unsafe { answered(out, || Ok(give_secret(&wait(start(handle, reference, call)?.1)?))) }
}

/// Gets several secrets at once, in their order: all, or the first error. It waits.
///
/// # Safety
/// `references` are `len` pointers; for the rest as for `vaultlet_get`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_get_many(
    handle: *const vaultlet_handle,
    references: *const *const c_char,
    len: usize,
    call: *const vaultlet_call,
    out: *mut *mut vaultlet_secrets,
) -> *mut vaultlet_error {
    // SAFETY: as the caller says.
    unsafe { answered(out, || Ok(give_all(&wait(start_many(handle, references, len, call)?.1)?))) }
}

/// Told a secret or an error, either of which is the callee's to free.
pub type vaultlet_on_secret = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        error: *mut vaultlet_error,
        secret: *mut vaultlet_secret,
    ),
>;

/// Told secrets or an error, either of which is the callee's to free.
pub type vaultlet_on_secrets = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        error: *mut vaultlet_error,
        secrets: *mut vaultlet_secrets,
    ),
>;

/// As `vaultlet_get`, and calls back instead of waiting: exactly once, on a thread of the library; or,
/// when the call cannot even be started, before this returns. A callback must not wait for anything.
///
/// # Safety
/// As for `vaultlet_get`; `told` may be called on another thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_get_then(
    handle: *const vaultlet_handle,
    reference: *const c_char,
    call: *const vaultlet_call,
    told: vaultlet_on_secret,
    context: *mut c_void,
) {
    let context = Context(context);
    // SAFETY: as the caller says.
    let start = || unsafe { start(handle, reference, call) };
    then(start, move |ended| {
        let (context, Some(told)) = (context, told) else { return };
        // SAFETY: it is the caller's function with the caller's context.
        unsafe {
            match ended {
                Ok(secret) => told(context.0, ptr::null_mut(), give_secret(&secret)),
                Err(error) => told(context.0, give(&error), ptr::null_mut()),
            }
        }
    });
}

/// As `vaultlet_get_many`, and calls back as `vaultlet_get_then` does.
///
/// # Safety
/// As for both.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_get_many_then(
    handle: *const vaultlet_handle,
    references: *const *const c_char,
    len: usize,
    call: *const vaultlet_call,
    told: vaultlet_on_secrets,
    context: *mut c_void,
) {
    let context = Context(context);
    // SAFETY: as the caller says.
    let start = || unsafe { start_many(handle, references, len, call) };
    then(start, move |ended| {
        let (context, Some(told)) = (context, told) else { return };
        // SAFETY: it is the caller's function with the caller's context.
        unsafe {
            match ended {
                Ok(secrets) => told(context.0, ptr::null_mut(), give_all(&secrets)),
                Err(error) => told(context.0, give(&error), ptr::null_mut()),
            }
        }
    });
}
