//! Makes part of this program's own read-only data executable: the component's compiled code, which
//! the build embeds. This is safe because the pages hold nothing but that code, are page-aligned,
//! are never writable while they are executable, and came with the program, just as its own machine
//! code did.
//!
//! The alternative is a copy of the code (about 1 MB) at each start. In place, the system maps only
//! the pages that are used, from the program's file.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::mm::{MprotectFlags, mprotect};
use rustix::param::page_size;
use wasmtime::CustomCodeMemory;

/// Whether this handle may run the code in place. Only the first handle of a process may, as
/// wasmtime cannot register the same code twice; and only where the system's pages are no larger
/// than the alignment of the code, so that nothing else becomes executable.
pub(super) fn claim_in_place(code: &[u8]) -> bool {
    static CLAIMED: AtomicBool = AtomicBool::new(false);
    let fits = code.as_ptr().addr().is_multiple_of(page_size()) && page_size() <= 4096;
    fits && !CLAIMED.swap(true, Ordering::Relaxed)
}

/// Publishes code by changing the protection of its pages.
pub(super) struct Pages;

impl CustomCodeMemory for Pages {
    fn required_alignment(&self) -> usize {
        page_size()
    }

    fn publish_executable(&self, start: *const u8, length: usize) -> wasmtime::Result<()> {
        let flags = MprotectFlags::READ | MprotectFlags::EXEC;
        // SAFETY: wasmtime owns this memory and only ever executes it; from now on it cannot be
        // written.
        #[allow(unsafe_code, reason = "there is no safe way to say that memory is code")]
        unsafe {
            mprotect(start.cast_mut().cast::<c_void>(), length, flags)?;
        }
        Ok(())
    }

    /// Does nothing: embedded code stays as it is, and other code is unmapped right afterwards.
    fn unpublish_executable(&self, _: *const u8, _: usize) -> wasmtime::Result<()> {
        Ok(())
    }
}
