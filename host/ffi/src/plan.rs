//! What a handle would read and whom it would talk to, as JSON.

use std::ffi::{CString, c_char};

use serde::Serialize;
use vaultlet_host::{Error, Kind, Plan as Planned, Server};

use crate::call::{vaultlet_call, with};
use crate::error::vaultlet_error;
use crate::handle::{of, vaultlet_handle};
use crate::run::{answered, wait};
use crate::text::optional;

#[derive(Serialize)]
struct Plan<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    vault: Option<Place<'a>>,
    variables: &'a [String],
    servers: Vec<Place<'a>>,
    files: &'a [String],
    keys: &'a [String],
    programs: &'a [String],
}

#[derive(Serialize)]
struct Place<'a> {
    host: &'a str,
    port: u16,
    tls: bool,
    purpose: &'a str,
}

impl<'a> From<&'a Server> for Place<'a> {
    fn from(server: &'a Server) -> Self {
        Self { host: &server.host, port: server.port, tls: server.tls, purpose: server.purpose }
    }
}

/// Says what the credentials would read and whom they would talk to, and the vault of a reference
/// unless that is NULL. No network. The answer is one JSON object:
/// `{"vault"?,"variables","servers","files","keys","programs"}`, where a server (and the vault) is
/// `{"host","port","tls","purpose"}`, and all else is texts.
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
    // SAFETY: as the caller says.
    unsafe {
        answered(out, || {
            let reference = optional(reference, "the reference")?;
            let vaultlet = with(of(handle)?, call)?;
            json(&wait(vaultlet.plan(reference))?).map(CString::into_raw)
        })
    }
}

fn json(planned: &Planned) -> Result<CString, Error> {
    let plan = Plan {
        vault: planned.vault.as_ref().map(Into::into),
        variables: &planned.variables,
        servers: planned.servers.iter().map(Into::into).collect(),
        files: &planned.files,
        keys: &planned.keys,
        programs: &planned.programs,
    };
    let failed = |what: String| {
        let message = format!("making a plan: {what}");
        Error::new(Kind::Internal, "internal", message, "report this with the message")
    };
    let text = serde_json::to_string(&plan).map_err(|error| failed(error.to_string()))?;
    // JSON has no NUL.
    CString::new(text).map_err(|error| failed(error.to_string()))
}

/// Frees a text of vaultlet's; NULL is nothing.
///
/// # Safety
/// It is NULL or from `vaultlet_plan`, and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vaultlet_text_free(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: each is a `CString`'s.
        drop(unsafe { CString::from_raw(text) });
    }
}
