//! Texts, there and back.

use std::ffi::{CStr, CString, c_char};
use std::ptr;

use vaultlet_host::{Error, Kind};

/// Texts that belong to one answer, for as long as it lives.
#[derive(Default)]
pub(crate) struct Texts(Vec<CString>);

impl Texts {
    /// A text with a NUL after it; one within, which no name or message has, ends it.
    pub(crate) fn keep(&mut self, text: &str) -> *const c_char {
        let whole = text.split('\0').next().unwrap_or_default();
        let text = CString::new(whole).unwrap_or_default();
        let pointer = text.as_ptr();
        self.0.push(text);
        pointer
    }

    /// NULL where there is none.
    pub(crate) fn keep_if(&mut self, text: Option<&str>) -> *const c_char {
        text.map_or(ptr::null(), |text| self.keep(text))
    }
}

/// A text of the caller's; `what` it is goes into the error.
///
/// # Safety
/// It is NULL or ends with a NUL, and lives for `'a`.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, what: &str) -> Result<&'a str, Error> {
    // SAFETY: as the caller says.
    let found = unsafe { optional(pointer, what) }?;
    found.ok_or_else(|| usage(format!("calling vaultlet: {what} is NULL"), "give a text"))
}

/// The same where NULL means none.
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
    // SAFETY: as the caller says.
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
