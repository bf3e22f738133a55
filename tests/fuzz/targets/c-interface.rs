//! Strings and options from a program in C, one per line: each call ends with a result or a complete error,
//! and all results are freed. No request is sent, as calls are cancelled before they begin.
#![no_main]

use std::ffi::{CStr, CString, c_char};
use std::ptr;

use libfuzzer_sys::fuzz_target;
use vaultlet::*;

fuzz_target!(|bytes: &[u8]| {
    let texts: Vec<CString> = bytes
        .split(|byte| *byte == b'\n')
        .map(|line| {
            CString::new(line.split(|b| *b == 0).next().unwrap_or_default()).unwrap_or_default()
        })
        .collect();
    let at = |index: usize| texts.get(index).map_or(ptr::null(), |text| text.as_ptr());
    // SAFETY: the strings end with NUL and outlive the calls; the library made all other pointers.
    unsafe {
        let options = vaultlet_options_new();
        ended(vaultlet_options_set(options, c"concurrency".as_ptr(), c"1".as_ptr()));
        // One variable replaces the environment of the process.
        ended(vaultlet_options_variable(options, c"PATH".as_ptr(), c"".as_ptr()));
        for pair in 0..texts.len() / 2 {
            let (name, value) = (at(2 * pair), at(2 * pair + 1));
            let names_a_file = [&b"ca-file"[..], b"SSL_CERT_FILE", b"VAULTLET_CA_FILE"]
                .contains(&CStr::from_ptr(name).to_bytes());
            if names_a_file {
                continue;
            }
            ended(vaultlet_options_set(options, name, value));
            ended(vaultlet_options_variable(options, name, value));
        }
        let mut handle = ptr::null_mut();
        ended(vaultlet_open(VAULTLET_ABI, options, &raw mut handle));
        vaultlet_options_free(options);
        calls(handle, &texts);
        vaultlet_close(handle);
    }
});

/// Calls each operation with the strings.
///
/// # Safety
/// The handle is NULL or comes from the library.
unsafe fn calls(handle: *const vaultlet_handle, texts: &[CString]) {
    let at = |index: usize| texts.get(index).map_or(ptr::null(), |text| text.as_ptr());
    // SAFETY: the caller guarantees it.
    unsafe {
        let mut plan = ptr::null_mut();
        ended(vaultlet_plan(handle, at(0), ptr::null(), &raw mut plan));
        vaultlet_text_free(plan);
        let cancel = vaultlet_cancel_new();
        vaultlet_cancel_now(cancel);
        let call = vaultlet_call {
            size: size_of::<vaultlet_call>(),
            timeout_ms: i64::from(texts.first().map_or(0, |text| text.count_bytes() as u16)),
            cancel,
            client_id: at(1),
            object_id: at(2),
            resource_id: ptr::null(),
        };
        let mut secret = ptr::null_mut();
        ended(vaultlet_get(handle, at(0), &raw const call, &raw mut secret));
        assert!(secret.is_null(), "a secret of a cancelled call");
        let references: Vec<*const c_char> = texts.iter().map(|text| text.as_ptr()).collect();
        let mut secrets = ptr::null_mut();
        let (items, len) = (references.as_ptr(), references.len());
        ended(vaultlet_get_many(handle, items, len, &raw const call, &raw mut secrets));
        vaultlet_secrets_free(secrets);
        let mut listing = ptr::null_mut();
        ended(vaultlet_list(handle, at(0), &raw const call, &raw mut listing));
        ended(vaultlet_versions(handle, at(0), &raw const call, &raw mut listing));
        assert!(listing.is_null(), "a listing of a cancelled call");
        let request = vaultlet_token_request {
            size: size_of::<vaultlet_token_request>(),
            resource: at(0),
            tenant: at(1),
            claims: at(2),
        };
        let mut token = ptr::null_mut();
        ended(vaultlet_get_token(handle, &raw const request, &raw const call, &raw mut token));
        assert!(token.is_null(), "a token of a cancelled call");
        vaultlet_cancel_free(cancel);
    }
}

/// Checks all members of an error and frees it.
///
/// # Safety
/// The error is NULL or comes from the library.
unsafe fn ended(error: *mut vaultlet_error) {
    // SAFETY: the caller guarantees it.
    unsafe {
        let Some(shown) = error.as_ref() else { return };
        assert!((VAULTLET_USAGE..=VAULTLET_UNAUTHENTICATED).contains(&shown.kind));
        assert_ne!(shown.kind, VAULTLET_INTERNAL, "{:?}", CStr::from_ptr(shown.line));
        for text in [shown.kind_name, shown.id, shown.message, shown.help, shown.line] {
            assert!(CStr::from_ptr(text).to_str().is_ok_and(|text| !text.contains('\n')));
        }
        assert!(!CStr::from_ptr(shown.id).is_empty());
        vaultlet_error_free(error);
    }
}
