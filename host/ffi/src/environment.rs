//! The references in the environment.

use std::ffi::{CStr, c_char, c_void};
use std::mem::offset_of;
use std::{ptr, slice};

use vaultlet_host::{EnvironmentRequest, Error, Secret, Vaultlet};

use crate::call::{vaultlet_call, with_call};
use crate::error::vaultlet_error;
use crate::handle::vaultlet_handle;
use crate::operation::{Answer, then, wait};
use crate::secret::{OwnedSecrets, vaultlet_secret, vaultlet_secrets};
use crate::text::{Texts, text, usage};

/// An environment variable.
#[repr(C)]
pub struct vaultlet_variable {
    /// The name of the variable.
    pub name: *const c_char,
    /// The value of the variable.
    pub value: *const c_char,
}

/// What is resolved by `vaultlet_resolve_environment`. Set the whole struct to zero, then `size`, then the
/// members you need.
#[repr(C)]
pub struct vaultlet_environment_request {
    /// `sizeof(vaultlet_environment_request)`, by which later versions know which members are there.
    pub size: usize,
    /// The variables; NULL means those of the process, or those that the handle was opened with.
    pub variables: *const vaultlet_variable,
    /// The number of `variables`.
    pub variables_len: usize,
    /// The names of the variables to resolve, each of which must be there; NULL means all.
    pub only: *const *const c_char,
    /// The number of `only`.
    pub only_len: usize,
}

/// The secrets that variables refer to, with the names of the variables, in the order of the names.
#[repr(C)]
pub struct vaultlet_environment {
    /// The secrets.
    pub secrets: vaultlet_secrets,
    /// The name of the variable of each secret.
    pub names: *const *const c_char,
}

/// Secrets with what they point to; the public part comes first.
#[repr(C)]
struct OwnedEnvironment {
    environment: vaultlet_environment,
    _secrets: OwnedSecrets,
    _names: Vec<*const c_char>,
    _texts: Texts,
}

impl Answer<Secrets> for vaultlet_environment {
    fn give(secrets: &Secrets) -> *mut Self {
        let mut texts = Texts::default();
        let names: Vec<_> = secrets.keys().map(|name| texts.keep(name)).collect();
        let secrets = OwnedSecrets::new(secrets.values());
        let environment = Self { secrets: secrets.public(), names: names.as_ptr() };
        let owned =
            OwnedEnvironment { environment, _secrets: secrets, _names: names, _texts: texts };
        Box::into_raw(Box::new(owned)).cast()
    }
}

type Secrets = std::collections::BTreeMap<String, Secret>;

/// Gets the secrets that environment variables refer to, and waits for them: all of them, or none. The
/// environment is not changed.
///
/// A variable is resolved when its whole value is a reference: `akv://…`, `@Microsoft.KeyVault(…)`, or the URL
/// of a secret in a known cloud. A reference may have the option `optional` (the variable is left out when
/// there is no such secret) or `default=TEXT`. `request` and `call` may be NULL. If a variable fails, the error
/// is about the first one, and `vaultlet_error_variables` has all.
///
/// # Safety
/// Each pointer is NULL or valid, with as many entries as the request says; `out` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_resolve_environment(
    handle: *const vaultlet_handle,
    request: *const vaultlet_environment_request,
    call: *const vaultlet_call,
    out: *mut *mut vaultlet_environment,
) -> *mut vaultlet_error {
    // SAFETY: by the contract of this function.
    unsafe {
        wait(out, || {
            let (vaultlet, request) = with_request(handle, request, call)?;
            vaultlet.resolve_environment_blocking(&request)
        })
    }
}

/// The callback of `vaultlet_resolve_environment_then`: receives secrets or an error (the other is NULL), and
/// frees them.
pub type vaultlet_on_environment = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        error: *mut vaultlet_error,
        environment: *mut vaultlet_environment,
    ),
>;

/// Resolves the environment like `vaultlet_resolve_environment`, and calls back like `vaultlet_get_then`.
///
/// # Safety
/// As for `vaultlet_resolve_environment` and `vaultlet_get_then`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_resolve_environment_then(
    handle: *const vaultlet_handle,
    request: *const vaultlet_environment_request,
    call: *const vaultlet_call,
    told: vaultlet_on_environment,
    context: *mut c_void,
) {
    // SAFETY: by the contract of this function.
    unsafe {
        then(
            told,
            context,
            || with_request(handle, request, call),
            |(vaultlet, request), told| {
                vaultlet.resolve_environment_then(&request, told.result());
            },
        );
    }
}

/// Returns the secret of a variable, which lives as long as `environment`; NULL if there is none.
///
/// # Safety
/// `environment` is NULL or from vaultlet; `name` is NULL or ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_environment_get(
    environment: *const vaultlet_environment,
    name: *const c_char,
) -> *const vaultlet_secret {
    if environment.is_null() || name.is_null() {
        return ptr::null();
    }
    // SAFETY: by the contract of this function; the arrays have `len` entries.
    unsafe {
        let name = CStr::from_ptr(name);
        let vaultlet_environment { secrets, names } = &*environment;
        let mut places = 0..secrets.len;
        let found = places.find(|at| CStr::from_ptr(*names.add(*at)) == name);
        found.map_or(ptr::null(), |at| (*secrets.items.add(at)).cast_const())
    }
}

/// Scrubs and frees the secrets of an environment; NULL is ignored.
///
/// # Safety
/// `environment` is NULL, or from vaultlet and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_environment_free(environment: *mut vaultlet_environment) {
    // SAFETY: each is the first member of an `OwnedEnvironment`.
    unsafe { crate::boxed::free(environment.cast::<OwnedEnvironment>()) };
}

/// The handle with the options of a call applied, and the request.
///
/// # Safety
/// Each pointer is NULL or valid, with as many entries as the request says.
unsafe fn with_request(
    handle: *const vaultlet_handle,
    request: *const vaultlet_environment_request,
    call: *const vaultlet_call,
) -> Result<(Vaultlet, EnvironmentRequest), Error> {
    // SAFETY: by the contract of this function.
    unsafe { Ok((with_call(handle, call)?, read(request)?)) }
}

/// Reads and checks a request; NULL means the default.
///
/// # Safety
/// `request` is NULL, or points to `size` bytes with valid pointers.
unsafe fn read(request: *const vaultlet_environment_request) -> Result<EnvironmentRequest, Error> {
    const DOING: &str = "resolving the environment";
    let mut read = EnvironmentRequest::default();
    if request.is_null() {
        return Ok(read);
    }
    // SAFETY: `size` is the first member.
    let size = unsafe { ptr::read(request.cast::<usize>()) };
    if size != size_of::<vaultlet_environment_request>() {
        return Err(usage(
            format!("{DOING}: `size` of the request is {size}"),
            "set it to sizeof(vaultlet_environment_request)",
        ));
    }
    debug_assert_eq!(offset_of!(vaultlet_environment_request, size), 0);
    // SAFETY: by the contract of this function; the arrays have as many entries as they say.
    unsafe {
        let request = &*request;
        if let Some(variables) = array(request.variables, request.variables_len)? {
            let variables = variables.iter().map(|variable| {
                let name = text(variable.name, "the name of a variable")?;
                Ok((name.to_owned(), text(variable.value, &format!("`{name}`"))?.to_owned()))
            });
            read.variables = Some(variables.collect::<Result<_, Error>>()?);
        }
        if let Some(only) = array(request.only, request.only_len)? {
            let only = only.iter().map(|name| Ok(text(*name, "a name in `only`")?.to_owned()));
            read.only = Some(only.collect::<Result<_, Error>>()?);
        }
    }
    Ok(read)
}

/// An array of the caller; NULL is none, and has no length.
///
/// # Safety
/// `first` is NULL, or there are `len` entries, which live for `'a`.
unsafe fn array<'a, T>(first: *const T, len: usize) -> Result<Option<&'a [T]>, Error> {
    if !first.is_null() {
        // SAFETY: by the contract of this function.
        return Ok(Some(unsafe { slice::from_raw_parts(first, len) }));
    }
    if len > 0 {
        let message = "resolving the environment: an array is NULL and has a length";
        return Err(usage(message.into(), "give an array"));
    }
    Ok(None)
}
