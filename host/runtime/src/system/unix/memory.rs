//! Pages of memory: which stay in memory, and which are code.

use std::ffi::c_void;
use std::io;
use std::ptr;

use rustix::mm::{MprotectFlags, mprotect};

/// Bytes of a page.
pub(crate) fn page_size() -> usize {
    rustix::param::page_size().max(1)
}

/// Keeps a page out of swap space. The system does not count how often it is asked.
pub(crate) fn lock(address: usize, size: usize) -> bool {
    let address = ptr::without_provenance_mut::<c_void>(address);
    // SAFETY: locking changes nothing that a program could see.
    #[allow(unsafe_code, reason = "the system's own function takes an address")]
    let locked = unsafe { rustix::mm::mlock(address, size) };
    locked.is_ok()
}

/// Takes [`lock`] back.
pub(crate) fn unlock(address: usize, size: usize) {
    let address = ptr::without_provenance_mut::<c_void>(address);
    // SAFETY: unlocking changes nothing that a program could see.
    #[allow(unsafe_code, reason = "the system's own function takes an address")]
    let _ = unsafe { rustix::mm::munlock(address, size) };
}

/// Makes memory that is read only executable, too.
pub(crate) fn make_executable(start: *const u8, length: usize) -> io::Result<()> {
    let flags = MprotectFlags::READ | MprotectFlags::EXEC;
    // SAFETY: wasmtime owns this memory and only ever executes it; from now on it cannot be written.
    #[allow(unsafe_code, reason = "there is no safe way to say that memory is code")]
    let made = unsafe { mprotect(start.cast_mut().cast::<c_void>(), length, flags) };
    Ok(made?)
}

/// Puts the same bytes in the same place, from a file in memory that is mapped for execution.
#[cfg(target_os = "linux")]
pub(crate) fn map_executable(start: *const u8, length: usize) -> io::Result<()> {
    use rustix::fs::{MemfdFlags, memfd_create};
    use rustix::mm::{MapFlags, ProtFlags, mmap};

    let length = length.next_multiple_of(page_size());
    // SAFETY: wasmtime owns these pages, which are all readable.
    #[allow(unsafe_code, reason = "the pages are not a Rust object")]
    let code = unsafe { std::slice::from_raw_parts(start, length) };
    let file = memfd_create(c"vaultlet-code", MemfdFlags::CLOEXEC)?;
    let mut left = code;
    while !left.is_empty() {
        let written = rustix::io::write(&file, left)?;
        left = left.get(written..).unwrap_or_default();
    }
    let (protection, flags) =
        (ProtFlags::READ | ProtFlags::EXEC, MapFlags::PRIVATE | MapFlags::FIXED);
    let address = start.cast_mut().cast::<c_void>();
    // SAFETY: the pages have the same bytes as before, and stay wasmtime's, which unmaps them.
    #[allow(unsafe_code, reason = "there is no safe way to map something at an address")]
    unsafe {
        mmap(address, length, protection, flags, &file, 0)?;
    }
    Ok(())
}

/// macOS has no file in memory.
#[cfg(not(target_os = "linux"))]
pub(crate) fn map_executable(_: *const u8, _: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
