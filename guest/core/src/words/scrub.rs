//! The wrapper of memory that may hold a secret: the memory is overwritten when the value is dropped.

/// A value that is overwritten when it is dropped.
#[cfg(not(all(feature = "scrubbing-allocator", target_arch = "wasm32")))]
pub use zeroize::Zeroizing as Scrubbed;

#[cfg(all(feature = "scrubbing-allocator", target_arch = "wasm32"))]
pub use freed::Scrubbed;

/// For a program whose allocator overwrites every freed block: overwriting a value byte by byte before would
/// be the same work again.
#[cfg(all(feature = "scrubbing-allocator", target_arch = "wasm32"))]
mod freed {
    use core::ops::{Deref, DerefMut};

    /// A value on the heap, whose memory the allocator overwrites.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct Scrubbed<T>(T);

    impl<T> Scrubbed<T> {
        /// Takes ownership of a value.
        pub const fn new(value: T) -> Self {
            Self(value)
        }
    }

    impl<T> From<T> for Scrubbed<T> {
        fn from(value: T) -> Self {
            Self(value)
        }
    }

    impl<T> Deref for Scrubbed<T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }

    impl<T> DerefMut for Scrubbed<T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.0
        }
    }
}
