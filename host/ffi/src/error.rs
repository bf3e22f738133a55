//! Errors as a C struct.

use std::ffi::c_char;
use std::ptr;

use vaultlet_host::{Error, Kind};

use crate::boxed::free;
use crate::text::Texts;

/// The value of a number that is not known.
pub const VAULTLET_UNKNOWN: i64 = i64::MIN;

/// The arguments contradict each other; correct the program.
pub const VAULTLET_USAGE: i32 = 1;
/// A reference, name or JSON pointer is malformed, or the secret is not of the expected form.
pub const VAULTLET_INVALID_ARGUMENT: i32 = 2;
/// The secret, or this version of it, does not exist.
pub const VAULTLET_NOT_FOUND: i32 = 3;
/// The secret exists and is disabled.
pub const VAULTLET_DISABLED: i32 = 4;
/// A server cannot be reached, or its response is not understood, also after retries.
pub const VAULTLET_UNAVAILABLE: i32 = 5;
/// The time limit has passed, or the caller has cancelled the call (id `cancelled`).
pub const VAULTLET_TIMEOUT: i32 = 6;
/// A bug in vaultlet.
pub const VAULTLET_INTERNAL: i32 = 7;
/// The state of the secret does not allow the operation now.
pub const VAULTLET_CONFLICT: i32 = 8;
/// The service is throttling requests, for longer than the time limit; wait `retry_after_ms`.
pub const VAULTLET_THROTTLED: i32 = 9;
/// The identity is not allowed to do this.
pub const VAULTLET_DENIED: i32 = 10;
/// Settings are malformed or contradict each other, or a security check failed.
pub const VAULTLET_CONFIGURATION: i32 = 11;
/// No source of credentials is configured on this machine; `attempts` lists the sources.
pub const VAULTLET_NOT_CONFIGURED: i32 = 12;
/// An identity was found, but it was refused; `attempts` says which.
pub const VAULTLET_UNAUTHENTICATED: i32 = 13;

/// An attempt to get a token from one source of credentials.
#[repr(C)]
pub struct vaultlet_attempt {
    /// The label of the source, such as `managed-identity`.
    pub source: *const c_char,
    /// The kind of endpoint, such as `azure-ml`; or NULL.
    pub endpoint: *const c_char,
    /// `not-configured`, `failed` or `skipped`.
    pub outcome: *const c_char,
    /// The reason, in one line.
    pub message: *const c_char,
}

/// An error. The strings are UTF-8, end with NUL and live as long as the error; none contains a token
/// or the value of a secret. The layout is the same in every version of the ABI.
#[repr(C)]
pub struct vaultlet_error {
    /// What a program can do about it: `VAULTLET_NOT_FOUND` and so on.
    pub kind: i32,
    /// The HTTP status of the response; 0 if there was none.
    pub status: i32,
    /// How long the service asks to wait, in milliseconds, or `VAULTLET_UNKNOWN`.
    pub retry_after_ms: i64,
    /// The name of the kind, such as `not-found`.
    pub kind_name: *const c_char,
    /// The stable id of this error, such as `secret-not-found`; `vaultlet explain` says more about it.
    pub id: *const c_char,
    /// What was being done, and what happened.
    pub message: *const c_char,
    /// What a person can do about it; may be empty.
    pub help: *const c_char,
    /// The error code of the service, such as `ForbiddenByRbac`; or NULL.
    pub code: *const c_char,
    /// The request id of the service; or NULL.
    pub request_id: *const c_char,
    /// The whole error in one line, as the command line prints it.
    pub line: *const c_char,
    /// One attempt for each source, if no token could be obtained.
    pub attempts: *const vaultlet_attempt,
    /// The number of `attempts`.
    pub attempts_len: usize,
}

/// The reason why the reference of an environment variable was not resolved.
#[repr(C)]
pub struct vaultlet_failed_variable {
    /// The name of the variable.
    pub name: *const c_char,
    /// The stable id of the failure, such as `secret-not-found`.
    pub id: *const c_char,
    /// What a program can do about it: `VAULTLET_NOT_FOUND` and so on.
    pub kind: i32,
    /// The name of the kind, such as `not-found`.
    pub kind_name: *const c_char,
    /// What was being done, and what happened.
    pub message: *const c_char,
}

/// An error with what it points to; the public part comes first.
#[repr(C)]
struct OwnedError {
    error: vaultlet_error,
    attempts: Vec<vaultlet_attempt>,
    variables: Vec<vaultlet_failed_variable>,
    texts: Texts,
}

/// Makes the C struct of an error, which the caller frees.
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
    let variables: Vec<_> = error
        .variables
        .iter()
        .map(|variable| vaultlet_failed_variable {
            name: texts.keep(&variable.name),
            id: texts.keep(&variable.id),
            kind: number(variable.kind),
            kind_name: texts.keep(variable.kind.as_str()),
            message: texts.keep(&variable.message),
        })
        .collect();
    let retry_after = error.retry_after.and_then(|time| i64::try_from(time.as_millis()).ok());
    let error = vaultlet_error {
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
    Box::into_raw(Box::new(OwnedError { error, attempts, variables, texts })).cast()
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
        // All kinds of this version are above; a new one must be added there.
        _ => VAULTLET_INTERNAL,
    }
}

/// Returns the variables that failed, `*len` of them in the order of their names, if the error is one of
/// `vaultlet_resolve_environment`; they live as long as the error. Returns NULL if there are none. `len` may be
/// NULL.
///
/// # Safety
/// `error` is NULL or from vaultlet; `len` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_error_variables(
    error: *const vaultlet_error,
    len: *mut usize,
) -> *const vaultlet_failed_variable {
    // SAFETY: each is the first member of an `OwnedError`.
    let variables = unsafe { error.cast::<OwnedError>().as_ref() }.map(|error| &*error.variables);
    let variables = variables.unwrap_or_default();
    if !len.is_null() {
        // SAFETY: by the contract of this function.
        unsafe { *len = variables.len() };
    }
    if variables.is_empty() { ptr::null() } else { variables.as_ptr() }
}

/// Frees an error; NULL is ignored.
///
/// # Safety
/// `error` is NULL, or from vaultlet and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_error_free(error: *mut vaultlet_error) {
    // SAFETY: each is the first member of an `OwnedError`.
    unsafe { free(error.cast::<OwnedError>()) };
}
