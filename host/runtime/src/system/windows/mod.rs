//! Windows.

pub(crate) mod audit;
pub(crate) mod files;
pub(crate) mod forks;
pub(crate) mod limits;
pub(crate) mod memory;
pub(crate) mod names;
pub(crate) mod process;
pub(crate) mod programs;
mod rights;
pub(crate) mod sockets;
pub(crate) mod timer;
