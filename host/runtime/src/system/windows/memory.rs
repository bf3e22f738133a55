//! Pages of memory: which stay in memory, and which are code.
//! <https://learn.microsoft.com/en-us/windows/win32/api/memoryapi/>

use std::ffi::c_void;
use std::io;
use std::ptr;

use windows_sys::Win32::System::Memory::{
    PAGE_EXECUTE_READ, VirtualLock, VirtualProtect, VirtualUnlock,
};

/// Bytes of a page on every processor that Windows runs on.
const PAGE: usize = 4096;

/// Bytes of a page.
pub(crate) fn page_size() -> usize {
    PAGE
}

/// Keeps a page out of the paging file. The system does not count how often it is asked.
pub(crate) fn lock(address: usize, size: usize) -> bool {
    let address = ptr::without_provenance_mut::<c_void>(address);
    // SAFETY: locking changes nothing that a program could see.
    #[allow(unsafe_code, reason = "the system's own function takes an address")]
    let locked = unsafe { VirtualLock(address, size) };
    locked != 0
}

/// Takes [`lock`] back.
pub(crate) fn unlock(address: usize, size: usize) {
    let address = ptr::without_provenance_mut::<c_void>(address);
    // SAFETY: unlocking changes nothing that a program could see.
    #[allow(unsafe_code, reason = "the system's own function takes an address")]
    let _ = unsafe { VirtualUnlock(address, size) };
}

/// Makes memory that is read only executable, too.
pub(crate) fn make_executable(start: *const u8, length: usize) -> io::Result<()> {
    let mut before = 0;
    let address = start.cast_mut().cast::<c_void>();
    // SAFETY: wasmtime owns this memory and only ever executes it; from now on it cannot be written.
    #[allow(unsafe_code, reason = "there is no safe way to say that memory is code")]
    let made = unsafe { VirtualProtect(address, length, PAGE_EXECUTE_READ, &raw mut before) };
    if made == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Windows has no other way than [`make_executable`].
pub(crate) fn map_executable(_: *const u8, _: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
