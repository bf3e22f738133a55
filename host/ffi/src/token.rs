//! Tokens, and the identities that they belong to.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::time::{SystemTime, UNIX_EPOCH};

use vaultlet_host::{Error, Token, TokenRequest, Vaultlet};

use crate::boxed::free;
use crate::call::{vaultlet_call, with_call};
use crate::error::vaultlet_error;
use crate::handle::vaultlet_handle;
use crate::operation::{Answer, then, wait};
use crate::secret::Value;
use crate::text::{Texts, optional, usage};

/// A request for a token. Set the whole struct to zero, then `size`, then the members you need.
#[repr(C)]
pub struct vaultlet_token_request {
    /// `sizeof(vaultlet_token_request)`, by which later versions know which members are there.
    pub size: usize,
    /// The resource (`https://storage.azure.com`) or scope (`…/.default`); NULL means the Key Vault of
    /// the configured cloud.
    pub resource: *const c_char,
    /// The tenant, for sources that can choose one; or NULL.
    pub tenant: *const c_char,
    /// The claims that a service asked for, as JSON, which bypass the token cache; or NULL.
    pub claims: *const c_char,
}

/// The identity that a token belongs to, as the token itself says; nothing of it is verified. A string
/// that is not known is NULL.
#[repr(C)]
pub struct vaultlet_identity {
    /// The source of the token, such as `managed-identity`.
    pub source: *const c_char,
    /// The kind of endpoint, such as `azure-ml`.
    pub endpoint: *const c_char,
    /// The resource that the token is for.
    pub resource: *const c_char,
    /// The client id of the user-assigned identity, if the request named one.
    pub client_id: *const c_char,
    /// The tenant, a GUID.
    pub tenant: *const c_char,
    /// The object id of the identity, to which roles are granted.
    pub object_id: *const c_char,
    /// The application that the token was issued to.
    pub app_id: *const c_char,
    /// The name of the user, masked.
    pub upn: *const c_char,
    /// The audience of the token.
    pub audience: *const c_char,
    /// When the token expires, in Unix seconds.
    pub expires_on: i64,
    /// When the token should be replaced by a new one, in Unix seconds.
    pub refresh_on: i64,
    /// Remarks for people, one line each.
    pub notes: *const *const c_char,
    /// The number of `notes`.
    pub notes_len: usize,
}

/// An access token, with its value and its identity.
pub struct vaultlet_token {
    value: Value,
    identity: Box<OwnedIdentity>,
}

/// An identity with what it points to; the public part comes first.
#[repr(C)]
struct OwnedIdentity {
    identity: vaultlet_identity,
    notes: Vec<*const c_char>,
    texts: Texts,
}

fn identity_of(token: &Token) -> Box<OwnedIdentity> {
    let (mut texts, holder) = (Texts::default(), token.holder());
    let notes: Vec<_> = holder.notes.iter().map(|note| texts.keep(note)).collect();
    let identity = vaultlet_identity {
        source: texts.keep(token.source()),
        endpoint: texts.keep_if(token.endpoint()),
        resource: texts.keep(token.resource()),
        client_id: texts.keep_if(token.client_id()),
        tenant: texts.keep_if(holder.tenant.as_deref()),
        object_id: texts.keep_if(holder.object_id.as_deref()),
        app_id: texts.keep_if(holder.app_id.as_deref()),
        upn: texts.keep_if(holder.upn.as_deref()),
        audience: texts.keep_if(holder.audience.as_deref()),
        expires_on: seconds(token.expires_on()),
        refresh_on: seconds(token.refresh_on()),
        notes: if notes.is_empty() { ptr::null() } else { notes.as_ptr() },
        notes_len: notes.len(),
    };
    Box::new(OwnedIdentity { identity, notes, texts })
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(since).unwrap_or(i64::MAX)
}

impl Answer<Token> for vaultlet_token {
    fn give(token: &Token) -> *mut Self {
        let value = Value::new(token.reveal());
        Box::into_raw(Box::new(Self { value, identity: identity_of(token) }))
    }
}

impl Answer<Token> for vaultlet_identity {
    fn give(token: &Token) -> *mut Self {
        Box::into_raw(identity_of(token)).cast()
    }
}

/// Gets a token, from the token cache if it is there, and waits for it.
///
/// # Safety
/// `request` and `call` are NULL or valid; `out` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_get_token(
    handle: *const vaultlet_handle,
    request: *const vaultlet_token_request,
    call: *const vaultlet_call,
    out: *mut *mut vaultlet_token,
) -> *mut vaultlet_error {
    // SAFETY: by the contract of this function.
    unsafe { wait(out, || get_token(handle, request, call)) }
}

/// Gets a token, waits for it, and says which identity it belongs to. A token of
/// `vaultlet_get_token_then` says the same by `vaultlet_token_identity`.
///
/// # Safety
/// As for `vaultlet_get_token`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_whoami(
    handle: *const vaultlet_handle,
    request: *const vaultlet_token_request,
    call: *const vaultlet_call,
    out: *mut *mut vaultlet_identity,
) -> *mut vaultlet_error {
    // SAFETY: by the contract of this function.
    unsafe { wait(out, || get_token(handle, request, call)) }
}

/// The callback of `vaultlet_get_token_then`: receives a token or an error (the other is NULL), and frees
/// it.
pub type vaultlet_on_token = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        error: *mut vaultlet_error,
        token: *mut vaultlet_token,
    ),
>;

/// Gets a token like `vaultlet_get_token`, and calls back like `vaultlet_get_then`.
///
/// # Safety
/// As for `vaultlet_get_then`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_get_token_then(
    handle: *const vaultlet_handle,
    request: *const vaultlet_token_request,
    call: *const vaultlet_call,
    told: vaultlet_on_token,
    context: *mut c_void,
) {
    // SAFETY: by the contract of this function.
    unsafe {
        then(
            told,
            context,
            || with_request(handle, request, call),
            |(vaultlet, request), told| vaultlet.token_then(request, told.result()),
        );
    }
}

/// Returns the token itself, which goes after `Bearer`: `*len` bytes with a NUL after them. It lives
/// until the token is freed, which scrubs it. `len` may be NULL. Returns NULL for NULL.
///
/// # Safety
/// `token` is NULL or from vaultlet; `len` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_token_reveal(
    token: *const vaultlet_token,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: by the contract of this function.
    unsafe { token.as_ref().map_or(ptr::null(), |token| token.value.reveal(len)) }
}

/// Returns the identity that a token belongs to, which lives as long as the token. Returns NULL for
/// NULL.
///
/// # Safety
/// `token` is NULL or from vaultlet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_token_identity(
    token: *const vaultlet_token,
) -> *const vaultlet_identity {
    // SAFETY: by the contract of this function.
    unsafe { token.as_ref() }.map_or(ptr::null(), |token| &raw const token.identity.identity)
}

/// Scrubs and frees a token; NULL is ignored.
///
/// # Safety
/// `token` is NULL, or from vaultlet and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_token_free(token: *mut vaultlet_token) {
    // SAFETY: each comes from `Answer::give`.
    unsafe { free(token) };
}

/// Frees an identity of `vaultlet_whoami`; NULL is ignored. The identity of a token must not be freed
/// by this function.
///
/// # Safety
/// `identity` is NULL, or from `vaultlet_whoami` and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_identity_free(identity: *mut vaultlet_identity) {
    // SAFETY: each is the first member of an `OwnedIdentity`.
    unsafe { free(identity.cast::<OwnedIdentity>()) };
}

/// # Safety
/// Each pointer is NULL or valid.
unsafe fn get_token(
    handle: *const vaultlet_handle,
    request: *const vaultlet_token_request,
    call: *const vaultlet_call,
) -> Result<Token, Error> {
    // SAFETY: by the contract of this function.
    let (vaultlet, request) = unsafe { with_request(handle, request, call)? };
    vaultlet.token_blocking(request)
}

/// The handle with the options of a call applied, and the request.
///
/// # Safety
/// Each pointer is NULL or valid.
unsafe fn with_request(
    handle: *const vaultlet_handle,
    request: *const vaultlet_token_request,
    call: *const vaultlet_call,
) -> Result<(Vaultlet, TokenRequest), Error> {
    let mut what = TokenRequest::default();
    // SAFETY: by the contract of this function.
    unsafe {
        if !request.is_null() {
            let size = ptr::read(request.cast::<usize>());
            if size != size_of::<vaultlet_token_request>() {
                return Err(usage(
                    format!("getting a token: `size` of the request is {size}"),
                    "set it to sizeof(vaultlet_token_request)",
                ));
            }
            let given = |text, what| optional(text, what).map(|text| text.map(str::to_owned));
            what.resource = given((*request).resource, "`resource`")?;
            what.tenant = given((*request).tenant, "`tenant`")?;
            what.claims = given((*request).claims, "`claims`")?;
        }
        Ok((with_call(handle, call)?, what))
    }
}
