//! The plan of a handle, as JSON.

use std::ffi::{CString, c_char};

use vaultlet_host::{Error, Plan};
use zeroize::Zeroize as _;

use crate::call::{vaultlet_call, with_call};
use crate::error::vaultlet_error;
use crate::handle::vaultlet_handle;
use crate::run::{blocking, deliver, internal};
use crate::text::optional;

/// Makes a plan: which variables, files, keys and programs the credentials may read or use, and which
/// servers they may connect to, without using the network. With a reference that is not NULL the plan
/// has its vault, too. `*out` is a JSON object, to be freed by `vaultlet_text_free`:
/// `{"vault"?,"variables","secrets","servers","files","keys","programs"}`, where the vault and each server is
/// `{"host","port","tls","purpose"}` and everything else is a list of strings.
///
/// # Safety
/// As for `vaultlet_get`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_plan(
    handle: *const vaultlet_handle,
    reference: *const c_char,
    call: *const vaultlet_call,
    out: *mut *mut c_char,
) -> *mut vaultlet_error {
    // SAFETY: by the contract of this function.
    unsafe {
        deliver(out, || {
            let reference = optional(reference, "the reference")?;
            let vaultlet = with_call(handle, call)?;
            json(&blocking(|| vaultlet.plan_blocking(reference))?).map(CString::into_raw)
        })
    }
}

fn json(plan: &Plan) -> Result<CString, Error> {
    let text = serde_json::to_string(plan).map_err(|error| internal(&error.to_string()))?;
    // JSON text has no NUL.
    CString::new(text).map_err(|error| internal(&error.to_string()))
}

/// Frees a text of `vaultlet_plan` and the other functions that give a `char *`; NULL is ignored.
///
/// # Safety
/// `text` is NULL, or from such a function and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_text_free(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: each is from `CString::into_raw`.
        let text = unsafe { CString::from_raw(text) };
        // It may be the result of a plugin, and a secret in it.
        text.into_bytes_with_nul().zeroize();
    }
}
