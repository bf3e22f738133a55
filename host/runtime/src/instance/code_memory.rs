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

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use wasmtime::CustomCodeMemory;
use wasmtime_internal_jit_icache_coherence as instruction_cache;

use crate::system::memory::{make_executable, map_executable, page_size};

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
        // Processors other than x86 may still have what was there before.
        // SAFETY: wasmtime owns this memory and has written the code to it.
        #[allow(unsafe_code, reason = "the memory is not a Rust object")]
        unsafe {
            instruction_cache::clear_cache(start.cast(), length)?;
        }
        match make_executable(start, length) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                map_executable(start, length).map_err(|_| NotExecutable(error))?;
            }
            made => made?,
        }
        Ok(instruction_cache::pipeline_flush_mt()?)
    }

    /// Does nothing: embedded code stays as it is, and other code is unmapped right afterwards.
    fn unpublish_executable(&self, _: *const u8, _: usize) -> wasmtime::Result<()> {
        Ok(())
    }
}
