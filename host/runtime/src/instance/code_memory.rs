//! Makes compiled code executable where it lies: in this program's own file, of which the system maps
//! only the pages that are used.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::mm::{MprotectFlags, mprotect};
use rustix::param::page_size;
use wasmtime::CustomCodeMemory;

/// Whether this handle may run the code where it lies: the first of a process, as no code can be
/// registered twice; and where pages are such that nothing beside it is touched.
pub(crate) fn claim_in_place(code: &[u8]) -> bool {
    static CLAIMED: AtomicBool = AtomicBool::new(false);
    let fits = code.as_ptr().addr().is_multiple_of(page_size()) && page_size() <= 4096;
    fits && !CLAIMED.swap(true, Ordering::Relaxed)
}

pub(crate) struct Pages;

impl CustomCodeMemory for Pages {
    fn required_alignment(&self) -> usize {
        page_size()
    }

    fn publish_executable(&self, start: *const u8, length: usize) -> wasmtime::Result<()> {
        let flags = MprotectFlags::READ | MprotectFlags::EXEC;
        // SAFETY: the caller owns this memory and has no other use for it than to run it; from now
        // on it cannot be written.
        #[allow(unsafe_code, reason = "there is no safe way to say that memory is code")]
        unsafe {
            mprotect(start.cast_mut().cast::<c_void>(), length, flags)?;
        }
        Ok(())
    }

    /// What is part of this program stays as it is; what is not is unmapped next.
    fn unpublish_executable(&self, _: *const u8, _: usize) -> wasmtime::Result<()> {
        Ok(())
    }
}
