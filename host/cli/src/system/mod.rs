//! What operating systems do differently, in functions of the same names. Running a command has a twin of its own
//! (`child/windows.rs`), and so have what a command writes (`run/windows`) and the standard streams
//! (`streams/windows.rs`).

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;
