//! Options of a single call: its time limit, its cancellation and its identity.

use std::ffi::c_char;
use std::mem::offset_of;
use std::ptr;
use std::time::Duration;

use vaultlet_host::{Cancel, Error, UserAssigned, Vaultlet};

use crate::cancel::vaultlet_cancel;
use crate::handle::{handle_of, vaultlet_handle};
use crate::text::{optional, text, usage};

/// Options of a single call. Set the whole struct to zero, then `size`, then the members you need.
#[repr(C)]
pub struct vaultlet_call {
    /// `sizeof(vaultlet_call)`, by which later versions know which members are there.
    pub size: usize,
    /// The time limit in milliseconds, at most one day; 0 means the limit of the handle.
    pub timeout_ms: i64,
    /// The cancellation that can cancel the call; or NULL.
    pub cancel: *const vaultlet_cancel,
    /// The client id of a user-assigned managed identity; or NULL. Set at most one of the three ids.
    pub client_id: *const c_char,
    /// The object id of a user-assigned managed identity; or NULL.
    pub object_id: *const c_char,
    /// The resource id of a user-assigned managed identity; or NULL.
    pub resource_id: *const c_char,
}

const DAY: i64 = 24 * 60 * 60 * 1000;

/// A [`vaultlet_call`], checked.
#[derive(Default)]
pub(crate) struct CallOptions<'a> {
    pub(crate) timeout: Option<Duration>,
    pub(crate) cancel: Option<&'a Cancel>,
    pub(crate) identity: Option<UserAssigned>,
}

/// The handle with the options of a call applied, and the text that the call is about; `what` names the
/// text in errors.
///
/// # Safety
/// The pointers are NULL or valid, the text for `'a`.
pub(crate) unsafe fn with_text<'a>(
    handle: *const vaultlet_handle,
    subject: *const c_char,
    what: &str,
    call: *const vaultlet_call,
) -> Result<(Vaultlet, &'a str), Error> {
    // SAFETY: by the contract of this function.
    unsafe {
        let subject = text(subject, what)?;
        Ok((with_call(handle, call)?, subject))
    }
}

/// The handle with the options of a call applied.
///
/// # Safety
/// Both pointers are NULL or valid.
pub(crate) unsafe fn with_call(
    handle: *const vaultlet_handle,
    call: *const vaultlet_call,
) -> Result<Vaultlet, Error> {
    // SAFETY: by the contract of this function.
    let (mut vaultlet, options) = unsafe { (handle_of(handle)?.clone(), CallOptions::read(call)?) };
    if let Some(timeout) = options.timeout {
        vaultlet = vaultlet.with_timeout(timeout);
    }
    if let Some(cancel) = options.cancel {
        vaultlet = vaultlet.with_cancel(cancel);
    }
    Ok(match options.identity {
        Some(identity) => vaultlet.with_identity(identity),
        None => vaultlet,
    })
}

impl<'a> CallOptions<'a> {
    /// Reads and checks the options; NULL means none.
    ///
    /// # Safety
    /// `call` is NULL, or points to `size` bytes whose strings end with NUL.
    pub(crate) unsafe fn read(call: *const vaultlet_call) -> Result<Self, Error> {
        if call.is_null() {
            return Ok(Self::default());
        }
        // SAFETY: `size` is the first member.
        let size = unsafe { ptr::read(call.cast::<usize>()) };
        if size != size_of::<vaultlet_call>() {
            return Err(usage(
                format!("calling vaultlet: `size` of the call is {size}"),
                "set it to sizeof(vaultlet_call)",
            ));
        }
        debug_assert_eq!(offset_of!(vaultlet_call, size), 0);
        // SAFETY: the struct is as long as `size` says.
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
        // SAFETY: by the contract of this function.
        let (cancel, client_id, object_id, resource_id) = unsafe {
            (
                call.cancel.as_ref().map(|cancel| &cancel.0),
                optional(call.client_id, "`client_id`")?,
                optional(call.object_id, "`object_id`")?,
                optional(call.resource_id, "`resource_id`")?,
            )
        };
        let identity = match (client_id, object_id, resource_id) {
            (None, None, None) => None,
            (Some(id), None, None) => Some(UserAssigned::ClientId(id.into())),
            (None, Some(id), None) => Some(UserAssigned::ObjectId(id.into())),
            (None, None, Some(id)) => Some(UserAssigned::ResourceId(id.into())),
            _ => {
                return Err(usage(
                    "calling vaultlet: the call names an identity in several ways".into(),
                    "give one of `client_id`, `object_id` and `resource_id`",
                ));
            }
        };
        Ok(Self { timeout, cancel, identity })
    }
}
