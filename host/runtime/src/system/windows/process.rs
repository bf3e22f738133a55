//! What others may see of this process.
//! <https://learn.microsoft.com/en-us/windows/win32/api/errhandlingapi/nf-errhandlingapi-seterrormode>

use std::io;

use windows_sys::Win32::System::Diagnostics::Debug::{
    SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX, SetErrorMode,
};

/// Leaves no dump of memory to Windows Error Reporting. Other programs of the same user may read the memory.
#[allow(clippy::unnecessary_wraps, reason = "on other systems it can fail")]
pub(crate) fn protect() -> io::Result<()> {
    // SAFETY: the mode is a number of this process.
    #[allow(unsafe_code, reason = "there is no safe way to set it")]
    unsafe {
        SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    }
    Ok(())
}
