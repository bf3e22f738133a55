//! Tokens, and whose they are.

use std::ffi::{c_char, c_void};
use std::future::Future;
use std::ptr;
use std::time::{SystemTime, UNIX_EPOCH};

use vaultlet_host::{Error, Token, TokenRequest, Vaultlet};

use crate::call::{vaultlet_call, with};
use crate::error::{give, vaultlet_error};
use crate::handle::{of, vaultlet_handle};
use crate::run::{Context, answered, then, wait};
use crate::secret::Value;
use crate::text::{Texts, optional, usage};

/// What a token is asked for: set all of it to zero, then `size`, then what is needed.
#[repr(C)]
pub struct vaultlet_token_request {
    /// `sizeof(vaultlet_token_request)`.
    pub size: usize,
    /// The resource (`https://storage.azure.com`) or scope (`…/.default`); NULL is Key Vault of the
    /// configured cloud.
    pub resource: *const c_char,
    /// The tenant, where a source has a choice; or NULL.
    pub tenant: *const c_char,
    /// A claims challenge as JSON, which bypasses the cache; or NULL.
    pub claims: *const c_char,
}

/// What is known of a token and whose it is, by what it says of itself; nothing of that is verified.
/// A text that is not known is NULL.
#[repr(C)]
pub struct vaultlet_identity {
    /// The source that gave it: `managed-identity`.
    pub source: *const c_char,
    /// Which form of the source: `azure-ml`.
    pub endpoint: *const c_char,
    /// The resource that it is for.
    pub resource: *const c_char,
    /// The client id that was asked for, when one was.
    pub client_id: *const c_char,
    /// The directory: a GUID.
    pub tenant: *const c_char,
    /// The identity's object id in it: what a role is granted to.
    pub object_id: *const c_char,
    /// The application that asked.
    pub app_id: *const c_char,
    /// The user's name, masked.
    pub upn: *const c_char,
    /// Whom it is for.
    pub audience: *const c_char,
    /// Not accepted after, Unix seconds.
    pub expires_on: i64,
    /// A new one is fetched from then on, Unix seconds.
    pub refresh_on: i64,
    /// What is worth knowing besides, one line each.
    pub notes: *const *const c_char,
    /// How many.
    pub notes_len: usize,
}

/// An access token.
pub struct vaultlet_token {
    value: Value,
    identity: Box<Identity>,
}

/// The struct, and what it points to.
#[repr(C)]
struct Identity {
    shown: vaultlet_identity,
    notes: Vec<*const c_char>,
    texts: Texts,
}

fn identity(token: &Token) -> Box<Identity> {
    let (mut texts, holder) = (Texts::default(), token.holder());
    let notes: Vec<_> = holder.notes.iter().map(|note| texts.keep(note)).collect();
    let shown = vaultlet_identity {
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
    Box::new(Identity { shown, notes, texts })
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(since).unwrap_or(i64::MAX)
}

fn give_token(token: &Token) -> *mut vaultlet_token {
    let value = Value::of(token.reveal());
    Box::into_raw(Box::new(vaultlet_token { value, identity: identity(token) }))
}

/// # Safety
/// `request` is NULL or as it should be.
unsafe fn start(
    handle: *const vaultlet_handle,
    request: *const vaultlet_token_request,
    call: *const vaultlet_call,
) -> Result<(Vaultlet, impl Future<Output = Result<Token, Error>> + Send + 'static), Error> {
    let mut asked = TokenRequest::default();
    // SAFETY: as the caller says.
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
            asked.resource = given((*request).resource, "`resource`")?;
            asked.tenant = given((*request).tenant, "`tenant`")?;
            asked.claims = given((*request).claims, "`claims`")?;
        }
        let vaultlet = with(of(handle)?, call)?;
        let on = vaultlet.clone();
        Ok((vaultlet, async move { on.token(asked).await }))
    }
}

/// Gets a token, from the cache if it has one. It waits.
///
/// # Safety
/// `request` and `call` are NULL or as they should be; `out` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_get_token(
    handle: *const vaultlet_handle,
    request: *const vaultlet_token_request,
    call: *const vaultlet_call,
    out: *mut *mut vaultlet_token,
) -> *mut vaultlet_error {
    // SAFETY: as the caller says.
    unsafe { answered(out, || Ok(give_token(&wait(start(handle, request, call)?.1)?))) }
}

/// Says whose token would be had, by getting one. It waits; a token of `vaultlet_get_token_then`
/// says the same.
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
    // SAFETY: as the caller says.
    unsafe {
        answered(out, || {
            let token = wait(start(handle, request, call)?.1)?;
            Ok(Box::into_raw(identity(&token)).cast())
        })
    }
}

/// Told a token or an error, either of which is the callee's to free.
pub type vaultlet_on_token = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        error: *mut vaultlet_error,
        token: *mut vaultlet_token,
    ),
>;

/// As `vaultlet_get_token`, and calls back instead of waiting, as `vaultlet_get_then` does.
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
    let context = Context(context);
    // SAFETY: as the caller says.
    let start = || unsafe { start(handle, request, call) };
    then(start, move |ended| {
        let (context, Some(told)) = (context, told) else { return };
        // SAFETY: it is the caller's function with the caller's context.
        unsafe {
            match ended {
                Ok(token) => told(context.0, ptr::null_mut(), give_token(&token)),
                Err(error) => told(context.0, give(&error), ptr::null_mut()),
            }
        }
    });
}

/// The token itself, what goes after `Bearer`: `*len` bytes and a NUL. It lives until the token is
/// freed, which scrubs it. `len` may be NULL. NULL gives NULL.
///
/// # Safety
/// `token` is NULL or from vaultlet; `len` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_token_reveal(
    token: *const vaultlet_token,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: as the caller says.
    unsafe { token.as_ref().map_or(ptr::null(), |token| token.value.show(len)) }
}

/// Whose it is and how long it serves, for as long as the token lives. NULL gives NULL.
///
/// # Safety
/// It is NULL or from vaultlet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_token_identity(
    token: *const vaultlet_token,
) -> *const vaultlet_identity {
    // SAFETY: as the caller says.
    unsafe { token.as_ref() }.map_or(ptr::null(), |token| &raw const token.identity.shown)
}

/// Scrubs and frees a token; NULL is nothing.
///
/// # Safety
/// It is NULL or from vaultlet, and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_token_free(token: *mut vaultlet_token) {
    if !token.is_null() {
        // SAFETY: each comes from `give_token`.
        drop(unsafe { Box::from_raw(token) });
    }
}

/// Frees what `vaultlet_whoami` gave; NULL is nothing. Not for that of a token.
///
/// # Safety
/// It is NULL or from vaultlet, and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_identity_free(identity: *mut vaultlet_identity) {
    if !identity.is_null() {
        // SAFETY: each comes from `identity`, where it is the first member of this.
        drop(unsafe { Box::from_raw(identity.cast::<Identity>()) });
    }
}
