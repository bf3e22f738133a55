//! Listing the secrets of a vault and the versions of a secret.

use std::ffi::{c_char, c_void};

use vaultlet_host::Properties;

use crate::boxed::free;
use crate::call::{vaultlet_call, with_text};
use crate::error::vaultlet_error;
use crate::handle::vaultlet_handle;
use crate::operation::{Answer, then, wait};
use crate::properties::{PropertiesList, vaultlet_properties};

/// The properties of the secrets of a vault, or of the versions of a secret.
#[repr(C)]
pub struct vaultlet_listing {
    /// The entries, which live as long as the listing.
    pub items: *const vaultlet_properties,
    /// The number of `items`.
    pub len: usize,
}

/// A listing with what it points to; the public part comes first.
#[repr(C)]
struct OwnedListing {
    listing: vaultlet_listing,
    list: PropertiesList,
}

impl Answer<Vec<Properties>> for vaultlet_listing {
    fn give(all: &Vec<Properties>) -> *mut Self {
        let list = PropertiesList::new(all);
        let (items, len) = (list.items().as_ptr(), list.items().len());
        Box::into_raw(Box::new(OwnedListing { listing: Self { items, len }, list })).cast()
    }
}

/// Lists the secrets of a vault, without their values, sorted by name, and waits. Disabled secrets are
/// listed, too.
///
/// `vault` is the name of a vault, its full host name, or `akv://<vault>`.
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
    // SAFETY: by the contract of this function.
    unsafe {
        wait(out, || {
            let (vaultlet, vault) = with_text(handle, vault, "the vault", call)?;
            vaultlet.list_blocking(vault)
        })
    }
}

/// Lists the versions of a secret, without their values, newest first, and waits.
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
    // SAFETY: by the contract of this function.
    unsafe {
        wait(out, || {
            let (vaultlet, reference) = with_text(handle, reference, "the reference", call)?;
            vaultlet.versions_blocking(reference)
        })
    }
}

/// The callback of `vaultlet_list_then` and `vaultlet_versions_then`: receives a listing or an error (the
/// other is NULL), and frees it.
pub type vaultlet_on_listing = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        error: *mut vaultlet_error,
        listing: *mut vaultlet_listing,
    ),
>;

/// Lists secrets like `vaultlet_list`, and calls back like `vaultlet_get_then`.
///
/// # Safety
/// As for `vaultlet_get_then`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_list_then(
    handle: *const vaultlet_handle,
    vault: *const c_char,
    call: *const vaultlet_call,
    told: vaultlet_on_listing,
    context: *mut c_void,
) {
    // SAFETY: by the contract of this function.
    unsafe {
        then(
            told,
            context,
            || with_text(handle, vault, "the vault", call),
            |(vaultlet, vault), told| vaultlet.list_then(vault, told.result()),
        );
    }
}

/// Lists versions like `vaultlet_versions`, and calls back like `vaultlet_get_then`.
///
/// # Safety
/// As for `vaultlet_get_then`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_versions_then(
    handle: *const vaultlet_handle,
    reference: *const c_char,
    call: *const vaultlet_call,
    told: vaultlet_on_listing,
    context: *mut c_void,
) {
    // SAFETY: by the contract of this function.
    unsafe {
        then(
            told,
            context,
            || with_text(handle, reference, "the reference", call),
            |(vaultlet, reference), told| vaultlet.versions_then(reference, told.result()),
        );
    }
}

/// Frees a listing; NULL is ignored.
///
/// # Safety
/// `listing` is NULL, or from vaultlet and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_listing_free(listing: *mut vaultlet_listing) {
    // SAFETY: each is the first member of an `OwnedListing`.
    unsafe { free(listing.cast::<OwnedListing>()) };
}
