//! What an instance without `std` needs: an allocator that overwrites freed memory, and a panic handler.

use core::{
    alloc::{GlobalAlloc, Layout},
    panic::PanicInfo,
};
use dlmalloc::GlobalDlmalloc;

/// The allocator, which overwrites every freed block. Tokens and values pass through buffers of the
/// bindings, of the JSON reader and of growing vectors; this covers them all. The core relies on it, by its
/// feature `scrubbing-allocator`.
struct Scrubbing;

#[global_allocator]
static ALLOCATOR: Scrubbing = Scrubbing;

// SAFETY: all calls are passed on to an allocator that keeps the contract. `realloc` is the default one,
// which allocates, copies and deallocates by these two functions.
unsafe impl GlobalAlloc for Scrubbing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller guarantees.
        unsafe { GlobalDlmalloc.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller guarantees that the block was allocated with this layout and that
        // nobody uses it any more; its bytes may be uninitialized, and are only written.
        unsafe {
            // One instruction for the whole block.
            core::ptr::write_bytes(block, 0, layout.size());
            // The compiler must assume that the bytes are read, so it keeps the write.
            core::hint::black_box(block);
            GlobalDlmalloc.dealloc(block, layout);
        }
    }
}

/// Allocates memory for what the host passes in. The C library's function would use another allocator.
/// <https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md>
///
/// # Safety
/// As the canonical ABI says: the old block, if there is one, came from here with that size.
#[unsafe(export_name = "cabi_realloc")]
unsafe extern "C" fn cabi_realloc(
    old: *mut u8,
    old_size: usize,
    align: usize,
    size: usize,
) -> *mut u8 {
    let Ok(layout) = Layout::from_size_align(size, align) else {
        core::arch::wasm32::unreachable()
    };
    // SAFETY: no size is 0 here, and the old block has the layout that it was allocated with, as the
    // caller guarantees.
    let block = unsafe {
        match (old_size, size) {
            (0, 0) => return core::ptr::without_provenance_mut(align),
            (0, _) => ALLOCATOR.alloc(layout),
            (_, 0) => core::arch::wasm32::unreachable(),
            (_, size) => match Layout::from_size_align(old_size, align) {
                Ok(old_layout) => ALLOCATOR.realloc(old, old_layout, size),
                Err(_) => core::arch::wasm32::unreachable(),
            },
        }
    };
    if block.is_null() {
        core::arch::wasm32::unreachable();
    }
    block
}

/// Traps, so that the host drops the instance. There is no message, which might contain a secret.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
