//! Opening and closing handles.

use std::ffi::c_char;

use vaultlet_host::{Error, Kind, Vaultlet};

use crate::boxed::free;
use crate::error::vaultlet_error;
use crate::options::vaultlet_options;
use crate::run::deliver;
use crate::text::usage;

/// The version of this ABI. `vaultlet_open` refuses a program that was compiled against another one.
pub const VAULTLET_ABI: u32 = 1;

/// A handle: one set of settings, one token cache, one connection pool. Any thread may use it at any
/// time. In a child of `fork` it reopens itself on first use; calls that run in the parent are completed
/// in the parent only.
pub struct vaultlet_handle {
    inner: Vaultlet,
}

/// Returns the ABI version of the loaded library.
#[unsafe(no_mangle)]
pub extern "C" fn vaultlet_abi() -> u32 {
    VAULTLET_ABI
}

/// Returns the version of the library, such as `0.1.0`, as a static string that must not be freed.
#[unsafe(no_mangle)]
pub extern "C" fn vaultlet_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Opens a handle: loads the component and reads the settings, the environment and the certificates,
/// without using the network.
///
/// `abi` is `VAULTLET_ABI`; `options` may be NULL and still belongs to the caller.
///
/// Like every function that can fail, this one returns NULL and sets `*out`, or returns an error and
/// sets `*out` to NULL. The caller frees both.
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
        // SAFETY: by the contract of this function.
        let builder = match unsafe { options.as_ref() } {
            Some(options) => options.builder(),
            None => Vaultlet::builder(),
        };
        Ok(Box::into_raw(Box::new(vaultlet_handle { inner: builder.open()? })))
    };
    // SAFETY: by the contract of this function.
    unsafe { deliver(out, open) }
}

/// Closes a handle; NULL is ignored. No thread may use the handle any more. Calls that were started
/// with a callback continue, and call back when they end.
///
/// # Safety
/// `handle` is NULL, or from vaultlet and not closed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_close(handle: *mut vaultlet_handle) {
    // SAFETY: each comes from `vaultlet_open`.
    unsafe { free(handle) };
}

/// The host's handle in a C handle; NULL is an error.
///
/// # Safety
/// `handle` is NULL or from vaultlet.
pub(crate) unsafe fn handle_of<'a>(handle: *const vaultlet_handle) -> Result<&'a Vaultlet, Error> {
    // SAFETY: by the contract of this function.
    match unsafe { handle.as_ref() } {
        Some(handle) => Ok(&handle.inner),
        None => Err(usage("calling vaultlet: the handle is NULL".into(), "open one first")),
    }
}
