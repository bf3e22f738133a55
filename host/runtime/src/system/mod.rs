//! What operating systems do differently. `unix` and `windows` have the same modules with the same functions; the
//! rest of the crate asks neither. What is only on Linux says so in `unix`.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{
    audit, files, forks, limits, memory, names, process, programs, sockets, timer,
};
#[cfg(windows)]
pub(crate) use windows::{
    audit, files, forks, limits, memory, names, process, programs, sockets, timer,
};
