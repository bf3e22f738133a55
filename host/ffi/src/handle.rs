//! Opening and closing.

use std::ffi::c_char;

use vaultlet_host::{Error, Kind, Vaultlet};

use crate::error::vaultlet_error;
use crate::options::vaultlet_options;
use crate::run::answered;
use crate::text::usage;

/// The version of this ABI. What is compiled against another one is refused by `vaultlet_open`.
pub const VAULTLET_ABI: u32 = 1;

/// A handle: one set of settings, one cache of tokens, one pool of connections. Every thread may use
/// it at any time. In a child of `fork` it opens itself anew on first use; calls that ran in the
/// parent are the parent's alone.
pub struct vaultlet_handle {
    inner: Vaultlet,
}

/// The version of the ABI of the library that was loaded.
#[unsafe(no_mangle)]
pub extern "C" fn vaultlet_abi() -> u32 {
    VAULTLET_ABI
}

/// The version of the library: `0.1.0`. It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn vaultlet_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Opens a handle: loads the component, reads settings, environment and certificates. No network.
///
/// `abi` is `VAULTLET_ABI`; `options` may be NULL and stays the caller's.
///
/// Like every function that can fail it gives NULL and sets `*out`, or gives an error and sets `*out`
/// to NULL. Either is the caller's to free.
///
/// # Safety
/// `options` is NULL or from vaultlet; `out` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_open(
    abi: u32,
    options: *const vaultlet_options,
    out: *mut *mut vaultlet_handle,
) -> *mut vaultlet_error {
    let open = || {
        if abi != VAULTLET_ABI {
            return Err(Error::new(
                Kind::Configuration,
                "abi-mismatch",
                format!("opening vaultlet: the library has ABI {VAULTLET_ABI}, the program {abi}"),
                "use the library and the header of one release",
            ));
        }
        // SAFETY: as the caller says.
        let builder = match unsafe { options.as_ref() } {
            Some(options) => options.builder(),
            None => Vaultlet::builder(),
        };
        Ok(Box::into_raw(Box::new(vaultlet_handle { inner: builder.open()? })))
    };
    // SAFETY: as the caller says.
    unsafe { answered(out, open) }
}

/// Closes a handle; NULL is nothing. No thread may use it any more; calls that were started with a
/// callback go on and are told to it.
///
/// # Safety
/// It is NULL or from vaultlet, and not closed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_close(handle: *mut vaultlet_handle) {
    if !handle.is_null() {
        // SAFETY: each comes from `vaultlet_open`.
        drop(unsafe { Box::from_raw(handle) });
    }
}

/// The handle that a call is made with.
///
/// # Safety
/// It is NULL or from vaultlet.
pub(crate) unsafe fn of<'a>(handle: *const vaultlet_handle) -> Result<&'a Vaultlet, Error> {
    // SAFETY: as the caller says.
    match unsafe { handle.as_ref() } {
        Some(handle) => Ok(&handle.inner),
        None => Err(usage("calling vaultlet: the handle is NULL".into(), "open one first")),
    }
}
