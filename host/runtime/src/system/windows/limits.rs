//! Limits of this process. Windows sets a process none that it could run into before the machine has nothing left.

use std::io;

/// No: Windows has no such limit.
pub(crate) fn is_machine_full(_: &io::Error) -> bool {
    false
}

/// No limit.
pub(crate) fn open_files() -> Option<u64> {
    None
}

/// No limit.
pub(crate) fn processes() -> Option<u64> {
    None
}

/// No limit.
pub(crate) fn addresses() -> Option<u64> {
    None
}

/// Not known, as it is compared with the limit.
pub(crate) fn addresses_used() -> u64 {
    0
}
