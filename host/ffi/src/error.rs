//! Why a call failed, as a struct.

use std::ffi::c_char;
use std::ptr;

use vaultlet_host::{Error, Kind};

use crate::text::Texts;

/// A number that is not known.
pub const VAULTLET_UNKNOWN: i64 = i64::MIN;

/// The call's arguments contradict each other: correct the program.
pub const VAULTLET_USAGE: i32 = 1;
/// A reference, name or JSON pointer is malformed, or the secret is not what was expected of it.
pub const VAULTLET_INVALID_ARGUMENT: i32 = 2;
/// There is no such secret, or no such version of it.
pub const VAULTLET_NOT_FOUND: i32 = 3;
/// The secret exists and is disabled.
pub const VAULTLET_DISABLED: i32 = 4;
/// A server cannot be reached, or answers nonsense; it was retried already.
pub const VAULTLET_UNAVAILABLE: i32 = 5;
/// The time that was allowed has run out, or the caller has cancelled (id `cancelled`).
pub const VAULTLET_TIMEOUT: i32 = 6;
/// A defect of vaultlet's.
pub const VAULTLET_INTERNAL: i32 = 7;
/// The state of the secret forbids it now.
pub const VAULTLET_CONFLICT: i32 = 8;
/// The service asked for more patience than the caller has: wait `retry_after_ms`.
pub const VAULTLET_THROTTLED: i32 = 9;
/// The identity may not do this.
pub const VAULTLET_DENIED: i32 = 10;
/// Settings contradict each other, or a security check refused.
pub const VAULTLET_CONFIGURATION: i32 = 11;
/// No source of credentials is configured here; `attempts` lists what was looked for.
pub const VAULTLET_NOT_CONFIGURED: i32 = 12;
/// An identity was found and was refused; `attempts` says which.
pub const VAULTLET_UNAUTHENTICATED: i32 = 13;

/// One source of credentials that was asked.
#[repr(C)]
pub struct vaultlet_attempt {
    /// Its label: `managed-identity`.
    pub source: *const c_char,
    /// Which form of it: `azure-ml`; or NULL.
    pub endpoint: *const c_char,
    /// `not-configured`, `failed` or `skipped`.
    pub outcome: *const c_char,
    /// Why, in one line.
    pub message: *const c_char,
}

/// Why a call failed. Its texts are UTF-8, end with NUL and live as long as it does; none holds a
/// token, a secret or a secret's value. This layout is the same in every version of the ABI.
#[repr(C)]
pub struct vaultlet_error {
    /// What to do next, for programs: `VAULTLET_NOT_FOUND` and so on.
    pub kind: i32,
    /// The HTTP status; 0 when no server answered.
    pub status: i32,
    /// How long the service asked to be left alone, in milliseconds, or `VAULTLET_UNKNOWN`.
    pub retry_after_ms: i64,
    /// The name of the kind: `not-found`.
    pub kind_name: *const c_char,
    /// A stable name of this failure, an anchor in README's table of errors: `secret-not-found`.
    pub id: *const c_char,
    /// What was being done and what happened.
    pub message: *const c_char,
    /// What to do about it; may be empty.
    pub help: *const c_char,
    /// The service's own code (`ForbiddenByRbac`), or NULL.
    pub code: *const c_char,
    /// The service's id of the request, or NULL.
    pub request_id: *const c_char,
    /// All of that in one line, as the command line prints it.
    pub line: *const c_char,
    /// One for each source that was asked, whenever no token was had.
    pub attempts: *const vaultlet_attempt,
    /// How many.
    pub attempts_len: usize,
}

/// The struct, and what it points to.
#[repr(C)]
struct Whole {
    shown: vaultlet_error,
    attempts: Vec<vaultlet_attempt>,
    texts: Texts,
}

/// For the caller to free.
pub(crate) fn give(error: &Error) -> *mut vaultlet_error {
    let mut texts = Texts::default();
    let attempts: Vec<_> = error
        .attempts
        .iter()
        .map(|attempt| vaultlet_attempt {
            source: texts.keep(&attempt.source),
            endpoint: texts.keep_if(attempt.endpoint.as_deref()),
            outcome: texts.keep(attempt.outcome.as_str()),
            message: texts.keep(&attempt.message),
        })
        .collect();
    let retry_after = error.retry_after.and_then(|time| i64::try_from(time.as_millis()).ok());
    let shown = vaultlet_error {
        kind: number(error.kind),
        status: error.status.map_or(0, i32::from),
        retry_after_ms: retry_after.unwrap_or(VAULTLET_UNKNOWN),
        kind_name: texts.keep(error.kind.as_str()),
        id: texts.keep(&error.id),
        message: texts.keep(&error.message),
        help: texts.keep(&error.help),
        code: texts.keep_if(error.code.as_deref()),
        request_id: texts.keep_if(error.request_id.as_deref()),
        line: texts.keep(&error.to_string()),
        attempts: if attempts.is_empty() { ptr::null() } else { attempts.as_ptr() },
        attempts_len: attempts.len(),
    };
    Box::into_raw(Box::new(Whole { shown, attempts, texts })).cast()
}

fn number(kind: Kind) -> i32 {
    match kind {
        Kind::Usage => VAULTLET_USAGE,
        Kind::InvalidArgument => VAULTLET_INVALID_ARGUMENT,
        Kind::NotFound => VAULTLET_NOT_FOUND,
        Kind::Disabled => VAULTLET_DISABLED,
        Kind::Unavailable => VAULTLET_UNAVAILABLE,
        Kind::Timeout => VAULTLET_TIMEOUT,
        Kind::Conflict => VAULTLET_CONFLICT,
        Kind::Throttled => VAULTLET_THROTTLED,
        Kind::Denied => VAULTLET_DENIED,
        Kind::Configuration => VAULTLET_CONFIGURATION,
        Kind::NotConfigured => VAULTLET_NOT_CONFIGURED,
        Kind::Unauthenticated => VAULTLET_UNAUTHENTICATED,
        // The kinds are those of this version; one that were added would be a defect here.
        _ => VAULTLET_INTERNAL,
    }
}

/// Frees an error; NULL is nothing.
///
/// # Safety
/// It is NULL or from vaultlet, and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_error_free(error: *mut vaultlet_error) {
    if !error.is_null() {
        // SAFETY: each comes from `give`, where it is the first member of this.
        drop(unsafe { Box::from_raw(error.cast::<Whole>()) });
    }
}
