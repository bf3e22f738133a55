//! Limits of this process.
//! <https://man7.org/linux/man-pages/man2/getrlimit.2.html>

use std::io;

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

/// Whether an error says that this machine has as many files open as it may.
pub(crate) fn is_machine_full(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::NFILE)
}

/// How many files may be open, unless there is no limit.
pub(crate) fn open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// How many processes and threads this user may have, unless there is no limit.
pub(crate) fn processes() -> Option<u64> {
    getrlimit(Resource::Nproc).current
}

/// How many bytes of address space this process may have, unless there is no limit.
pub(crate) fn addresses() -> Option<u64> {
    getrlimit(Resource::As).current
}

/// Bytes of address space that this process uses; none are known where the system has no such file, as on macOS.
pub(crate) fn addresses_used() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').next().and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0).saturating_mul(rustix::param::page_size() as u64)
}
