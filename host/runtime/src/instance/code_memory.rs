//! How compiled code becomes executable.
//!
//! The code of the built-in component is in an executable section of this program, as its own machine
//! code is, so that it runs where it is: nothing is copied (about 1 MB at each start), the system maps
//! only the pages that are used, and a system that allows no process to make memory executable has
//! nothing to refuse. Where sections have other names (not Linux), the pages of the code are made
//! executable; they hold nothing else and are never writable.
//!
//! Other code (of further handles in the process, of plugins) is in memory that was written. Making that
//! executable is what such a system refuses (`PR_SET_MDWE`, `MemoryDenyWriteExecute=` of systemd), so
//! that there the code is mapped again, from a file in memory and for execution only.

use std::ffi::c_void;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(target_os = "linux")]
use rustix::fs::{MemfdFlags, memfd_create};
#[cfg(target_os = "linux")]
use rustix::mm::{MapFlags, ProtFlags, mmap};
use rustix::mm::{MprotectFlags, mprotect};
use rustix::param::page_size;
use wasmtime::CustomCodeMemory;

/// Whether this handle may run the code in place. Only the first handle of a process may, as
/// wasmtime cannot register the same code twice; and only where the system's pages are no larger
/// than the alignment of the code.
pub(super) fn claim_in_place(code: &[u8]) -> bool {
    static CLAIMED: AtomicBool = AtomicBool::new(false);
    let fits = code.as_ptr().addr().is_multiple_of(page_size()) && page_size() <= 4096;
    fits && !CLAIMED.swap(true, Ordering::Relaxed)
}

/// Publishes code, which wasmtime never writes to again.
pub(crate) struct Pages {
    /// The addresses of code that is executable from the start.
    pub(super) executable: Range<usize>,
}

impl Pages {
    /// For code that is all in memory that was written.
    #[cfg(feature = "plugins")]
    pub(crate) fn written() -> Self {
        Self { executable: 0..0 }
    }
}

/// A system that does not let this process have memory that is executable.
#[derive(Debug)]
pub(crate) struct NotExecutable(io::Error);

impl std::fmt::Display for NotExecutable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the system lets no memory of this process become executable: {}", self.0)
    }
}

impl std::error::Error for NotExecutable {}

impl CustomCodeMemory for Pages {
    fn required_alignment(&self) -> usize {
        page_size()
    }

    fn publish_executable(&self, start: *const u8, length: usize) -> wasmtime::Result<()> {
        if self.executable.contains(&start.addr()) {
            return Ok(());
        }
        let flags = MprotectFlags::READ | MprotectFlags::EXEC;
        // SAFETY: wasmtime owns this memory and only ever executes it; from now on it cannot be
        // written.
        #[allow(unsafe_code, reason = "there is no safe way to say that memory is code")]
        let made = unsafe { mprotect(start.cast_mut().cast::<c_void>(), length, flags) };
        let made = made.map_err(io::Error::from);
        let is_refused = |e: &io::Error| e.kind() == io::ErrorKind::PermissionDenied;
        match made {
            #[cfg(target_os = "linux")]
            Err(error) if is_refused(&error) => {
                map_again(start, length).map_err(|_| NotExecutable(error).into())
            }
            Err(error) if is_refused(&error) => Err(NotExecutable(error).into()),
            made => Ok(made?),
        }
    }

    /// Does nothing: embedded code stays as it is, and other code is unmapped right afterwards.
    fn unpublish_executable(&self, _: *const u8, _: usize) -> wasmtime::Result<()> {
        Ok(())
    }
}

/// Puts the same bytes in the same place, from a file in memory that is mapped for execution.
#[cfg(target_os = "linux")]
fn map_again(start: *const u8, length: usize) -> io::Result<()> {
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
