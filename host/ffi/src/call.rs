//! What one call may say besides its arguments.

use std::ffi::c_char;
use std::mem::offset_of;
use std::ptr;
use std::time::Duration;

use vaultlet_host::{Cancel, Error, UserAssigned, Vaultlet};

use crate::cancel::vaultlet_cancel;
use crate::text::{optional, usage};

/// What one call may say besides: set all of it to zero, then `size`, then what is needed.
#[repr(C)]
pub struct vaultlet_call {
    /// `sizeof(vaultlet_call)`; it tells later versions which members there are.
    pub size: usize,
    /// How long it may take, in milliseconds, at most a day; 0 is what the handle was opened with.
    pub timeout_ms: i64,
    /// What may end it; or NULL.
    pub cancel: *const vaultlet_cancel,
    /// The client id of a user-assigned managed identity; or NULL. At most one of the three.
    pub client_id: *const c_char,
    /// Its object id; or NULL.
    pub object_id: *const c_char,
    /// Its resource id; or NULL.
    pub resource_id: *const c_char,
}

const DAY: i64 = 24 * 60 * 60 * 1000;

/// What a call says.
#[derive(Default)]
pub(crate) struct Said<'a> {
    pub(crate) timeout: Option<Duration>,
    pub(crate) cancel: Option<&'a Cancel>,
    pub(crate) identity: Option<UserAssigned>,
}

/// The handle for one call.
///
/// # Safety
/// As for [`said`].
pub(crate) unsafe fn with(
    vaultlet: &Vaultlet,
    call: *const vaultlet_call,
) -> Result<Vaultlet, Error> {
    // SAFETY: as the caller says.
    let said = unsafe { said(call)? };
    let mut vaultlet = vaultlet.clone();
    if let Some(timeout) = said.timeout {
        vaultlet = vaultlet.with_timeout(timeout);
    }
    if let Some(cancel) = said.cancel {
        vaultlet = vaultlet.with_cancel(cancel);
    }
    Ok(match said.identity {
        Some(identity) => vaultlet.with_identity(identity),
        None => vaultlet,
    })
}

/// Reads what a call says.
///
/// # Safety
/// `call` is NULL or points to `size` bytes, whose texts end with NUL.
pub(crate) unsafe fn said<'a>(call: *const vaultlet_call) -> Result<Said<'a>, Error> {
    if call.is_null() {
        return Ok(Said::default());
    }
    // SAFETY: `size` is its first member.
    let size = unsafe { ptr::read(call.cast::<usize>()) };
    if size != size_of::<vaultlet_call>() {
        return Err(usage(
            format!("calling vaultlet: `size` of the call is {size}"),
            "set it to sizeof(vaultlet_call)",
        ));
    }
    debug_assert_eq!(offset_of!(vaultlet_call, size), 0);
    // SAFETY: it is as long as it says.
    let call = unsafe { &*call };
    let timeout = match call.timeout_ms {
        0 => None,
        milliseconds @ 1..=DAY => Some(Duration::from_millis(milliseconds.unsigned_abs())),
        other => {
            return Err(usage(
                format!("calling vaultlet: a `timeout_ms` of {other}"),
                "give 1 to 86400000, or 0 for that of the handle",
            ));
        }
    };
    // SAFETY: as the caller says.
    let cancel = unsafe { call.cancel.as_ref() }.map(|cancel| &cancel.0);
    // SAFETY: as the caller says.
    let ids = unsafe {
        [
            optional(call.client_id, "`client_id`")?.map(|id| UserAssigned::ClientId(id.into())),
            optional(call.object_id, "`object_id`")?.map(|id| UserAssigned::ObjectId(id.into())),
            optional(call.resource_id, "`resource_id`")?
                .map(|id| UserAssigned::ResourceId(id.into())),
        ]
    };
    let mut ids = ids.into_iter().flatten();
    match (ids.next(), ids.next()) {
        (identity, None) => Ok(Said { timeout, cancel, identity }),
        (_, Some(_)) => Err(usage(
            "calling vaultlet: the call names an identity in several ways".into(),
            "give one of `client_id`, `object_id` and `resource_id`",
        )),
    }
}
