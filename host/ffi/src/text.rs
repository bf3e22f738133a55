//! Strings, from C and to C.

use std::ffi::{CStr, CString, c_char};
use std::ptr;

use vaultlet_host::{Error, Kind};

/// The strings that an answer points to, which live as long as the answer.
#[derive(Default)]
pub(crate) struct Texts(Vec<CString>);

impl Texts {
    /// Keeps a string, with a NUL after it. It ends at a NUL within, which no name or message has.
    pub(crate) fn keep(&mut self, text: &str) -> *const c_char {
        let whole = text.split('\0').next().unwrap_or_default();
        let text = CString::new(whole).unwrap_or_default();
        let pointer = text.as_ptr();
        self.0.push(text);
        pointer
    }

    /// Keeps a string if there is one, and gives NULL otherwise.
    pub(crate) fn keep_if(&mut self, text: Option<&str>) -> *const c_char {
        text.map_or(ptr::null(), |text| self.keep(text))
    }
}

/// Reads a string of the caller; `what` names it in errors.
///
/// # Safety
/// `pointer` is NULL, or ends with NUL and lives for `'a`.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, what: &str) -> Result<&'a str, Error> {
    // SAFETY: by the contract of this function.
    let found = unsafe { optional(pointer, what) }?;
    found.ok_or_else(|| usage(format!("calling vaultlet: {what} is NULL"), "give a text"))
}

/// Reads a string of the caller, where NULL means none.
///
/// # Safety
/// As for [`text`].
pub(crate) unsafe fn optional<'a>(
    pointer: *const c_char,
    what: &str,
) -> Result<Option<&'a str>, Error> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: by the contract of this function.
    let bytes = unsafe { CStr::from_ptr(pointer) };
    let text = bytes.to_str().map_err(|_| {
        let message = format!("calling vaultlet: {what} is not UTF-8");
        Error::new(Kind::InvalidArgument, "argument-malformed", message, "give UTF-8")
    })?;
    Ok(Some(text))
}

pub(crate) fn usage(message: String, help: &str) -> Error {
    Error::new(Kind::Usage, "usage", message, help)
}
