//! What a vault has.

use std::ffi::{c_char, c_void};
use std::future::Future;
use std::ptr;

use vaultlet_host::{Error, Properties, Vaultlet};

use crate::call::{vaultlet_call, with};
use crate::error::{give, vaultlet_error};
use crate::handle::{of, vaultlet_handle};
use crate::properties::{Shown, vaultlet_properties};
use crate::run::{Context, answered, then, wait};
use crate::text::text;

/// What was listed, in order.
#[repr(C)]
pub struct vaultlet_listing {
    /// Each lives as long as this.
    pub items: *const vaultlet_properties,
    /// How many.
    pub len: usize,
}

#[repr(C)]
struct Listing {
    listing: vaultlet_listing,
    shown: Shown,
}

fn give_listing(all: &[Properties]) -> *mut vaultlet_listing {
    let shown = Shown::of(all);
    let (items, len) = (shown.items().as_ptr(), shown.items().len());
    Box::into_raw(Box::new(Listing { listing: vaultlet_listing { items, len }, shown })).cast()
}

type Started<F> = Result<(Vaultlet, F), Error>;

/// # Safety
/// The pointers are NULL or as they should be.
unsafe fn start_list(
    handle: *const vaultlet_handle,
    vault: *const c_char,
    call: *const vaultlet_call,
) -> Started<impl Future<Output = Result<Vec<Properties>, Error>> + Send + 'static> {
    // SAFETY: as the caller says.
    unsafe {
        let vault = text(vault, "the vault")?.to_owned();
        let vaultlet = with(of(handle)?, call)?;
        let on = vaultlet.clone();
        Ok((vaultlet, async move { on.list(&vault).await }))
    }
}

/// # Safety
/// The pointers are NULL or as they should be.
unsafe fn start_versions(
    handle: *const vaultlet_handle,
    reference: *const c_char,
    call: *const vaultlet_call,
) -> Started<impl Future<Output = Result<Vec<Properties>, Error>> + Send + 'static> {
    // SAFETY: as the caller says.
    unsafe {
        let reference = text(reference, "the reference")?.to_owned();
        let vaultlet = with(of(handle)?, call)?;
        let on = vaultlet.clone();
        Ok((vaultlet, async move { on.versions(&reference).await }))
    }
}

/// Lists the secrets of a vault, without their values, by name; disabled ones, too. It waits.
///
/// The vault is its name, its full host, or `akv://<vault>`.
///
/// # Safety
/// As for `vaultlet_get`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_list(
    handle: *const vaultlet_handle,
    vault: *const c_char,
    call: *const vaultlet_call,
    out: *mut *mut vaultlet_listing,
) -> *mut vaultlet_error {
    // SAFETY: as the caller says.
    unsafe { answered(out, || Ok(give_listing(&wait(start_list(handle, vault, call)?.1)?))) }
}

/// Lists the versions of a secret, without their values, newest first. It waits.
///
/// # Safety
/// As for `vaultlet_get`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_versions(
    handle: *const vaultlet_handle,
    reference: *const c_char,
    call: *const vaultlet_call,
    out: *mut *mut vaultlet_listing,
) -> *mut vaultlet_error {
    // SAFETY: as the caller says.
    unsafe {
        answered(out, || Ok(give_listing(&wait(start_versions(handle, reference, call)?.1)?)))
    }
}

/// Told what was listed or an error, either of which is the callee's to free.
pub type vaultlet_on_listing = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        error: *mut vaultlet_error,
        listing: *mut vaultlet_listing,
    ),
>;

/// As `vaultlet_list`, and calls back as `vaultlet_get_then` does.
///
/// # Safety
/// As for both.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_list_then(
    handle: *const vaultlet_handle,
    vault: *const c_char,
    call: *const vaultlet_call,
    told: vaultlet_on_listing,
    context: *mut c_void,
) {
    // SAFETY: as the caller says.
    let start = || unsafe { start_list(handle, vault, call) };
    then(start, tell(told, Context(context)));
}

/// As `vaultlet_versions`, and calls back as `vaultlet_get_then` does.
///
/// # Safety
/// As for both.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_versions_then(
    handle: *const vaultlet_handle,
    reference: *const c_char,
    call: *const vaultlet_call,
    told: vaultlet_on_listing,
    context: *mut c_void,
) {
    // SAFETY: as the caller says.
    let start = || unsafe { start_versions(handle, reference, call) };
    then(start, tell(told, Context(context)));
}

fn tell(
    told: vaultlet_on_listing,
    context: Context,
) -> impl FnOnce(Result<Vec<Properties>, Error>) + Send + 'static {
    move |ended| {
        let (context, Some(told)) = (context, told) else { return };
        // SAFETY: it is the caller's function with the caller's context.
        unsafe {
            match ended {
                Ok(all) => told(context.0, ptr::null_mut(), give_listing(&all)),
                Err(error) => told(context.0, give(&error), ptr::null_mut()),
            }
        }
    }
}

/// Frees what was listed; NULL is nothing.
///
/// # Safety
/// It is NULL or from vaultlet, and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_listing_free(listing: *mut vaultlet_listing) {
    if !listing.is_null() {
        // SAFETY: each comes from `give_listing`, where it is the first member of this.
        drop(unsafe { Box::from_raw(listing.cast::<Listing>()) });
    }
}
