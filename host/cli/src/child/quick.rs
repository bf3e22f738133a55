//! Starts a command without a copy of this process, which the system would make of its memory and the program throw away
//! at once: the child runs in our memory while we stand still, until the program has replaced it.
//! <https://man7.org/linux/man-pages/man2/clone.2.html> (`CLONE_VFORK`)

#![allow(unsafe_code, reason = "the standard library has no such start with steps of our own")]

use std::collections::BTreeMap;
use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, RawFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

use libc::{c_char, c_int, c_void};
use rustix::process::{Pid, WaitOptions, getpid, waitpid};
use zeroize::Zeroizing;

use super::{inherited, system};

/// Bytes of the child's stack: its steps are system calls, and a search of `PATH`.
const STACK: usize = 128 << 10;

/// What the child needs, all of it made before: it must not allocate, as another thread may hold the lock for that.
struct Steps<'a> {
    arguments: &'a [*const c_char],
    variables: &'a [*const c_char],
    streams: [RawFd; 2],
    kept: &'a [RawFd],
    before: system::Before,
    parent: Pid,
    /// Why the program did not replace the child.
    error: AtomicI32,
}

/// Words of a command that there is room for on that stack: the system's library puts a list of them there for a script
/// without an interpreter.
const WORDS: usize = 1 << 10;

/// Whether a command can be started in this way: by the `PATH` of this process, and in its folder.
pub(super) fn can_start(command: &Command) -> bool {
    let is_short = command.get_args().len() < WORDS;
    is_short
        && command.get_current_dir().is_none()
        && command.get_envs().all(|(name, _)| name != "PATH")
}

/// Starts a command, of which the program, arguments and variables count, with these streams as its output, and with these
/// descriptors besides.
pub(super) fn start(
    command: &Command,
    streams: [BorrowedFd<'_>; 2],
    kept: &[RawFd],
    before: system::Before,
) -> io::Result<Pid> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words = words.map(|word| CString::new(word.as_bytes())).collect::<Result<Vec<_>, _>>()?;
    let variables = variables(command)?;
    let pointers = |all: &mut dyn Iterator<Item = *const c_char>| -> Vec<*const c_char> {
        all.chain([ptr::null()]).collect()
    };
    let steps = Steps {
        arguments: &pointers(&mut words.iter().map(|word| word.as_ptr())),
        variables: &pointers(&mut variables.iter().map(|text| text.as_ptr().cast())),
        streams: streams.map(|stream| stream.as_raw_fd()),
        kept,
        before,
        parent: getpid(),
        error: AtomicI32::new(0),
    };
    let mut stack = vec![0_u128; STACK / size_of::<u128>()];
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: all signals that have an action but to end the process are blocked here. The stack is aligned and grows
    // down from its end; it and the steps outlive the child's use of them, as this thread stands still until then.
    let started = unsafe {
        let end = stack.as_mut_ptr_range().end;
        libc::clone(run, end.cast(), flags, ptr::from_ref(&steps).cast_mut().cast::<c_void>())
    };
    let pid = Pid::from_raw(started.max(0)).ok_or_else(io::Error::last_os_error)?;
    match steps.error.load(Ordering::Acquire) {
        0 => Ok(pid),
        error => {
            let _ = waitpid(Some(pid), WaitOptions::empty());
            Err(io::Error::from_raw_os_error(error))
        }
    }
}

/// The variables of a command, each with a zero at its end. They may hold secrets.
fn variables(command: &Command) -> io::Result<Vec<Zeroizing<Vec<u8>>>> {
    let mut all: BTreeMap<OsString, Zeroizing<Vec<u8>>> =
        std::env::vars_os().map(|(name, value)| (name, Zeroizing::new(value.into_vec()))).collect();
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => {
                all.insert(name.to_owned(), Zeroizing::new(value.as_bytes().to_vec()));
            }
            None => drop(all.remove(name)),
        }
    }
    let variable = |(name, value): (&OsString, &Zeroizing<Vec<u8>>)| {
        let mut text = Zeroizing::new(Vec::with_capacity(name.len() + value.len() + 2));
        text.extend_from_slice(name.as_bytes());
        text.push(b'=');
        text.extend_from_slice(value);
        if text.contains(&0) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a variable has a zero in it"));
        }
        text.push(0);
        Ok(text)
    };
    all.iter().map(variable).collect()
}

/// Runs in the child.
extern "C" fn run(steps: *mut c_void) -> c_int {
    // SAFETY: these are the steps of `start`, which waits.
    let steps = unsafe { &*steps.cast::<Steps<'_>>() };
    let error = match steps.take() {
        Ok(()) => io::Error::last_os_error().raw_os_error(),
        Err(error) => error.raw_os_error(),
    };
    steps.error.store(error.filter(|it| *it != 0).unwrap_or(libc::EINVAL), Ordering::Release);
    // SAFETY: nothing of the parent's is undone by this.
    unsafe { libc::_exit(127) }
}

impl Steps<'_> {
    /// Returns only when the program cannot be executed.
    fn take(&self) -> io::Result<()> {
        for (stream, number) in self.streams.into_iter().zip(1..) {
            // SAFETY: both are numbers of descriptors of the child, which are a copy of ours.
            if unsafe { libc::dup2(stream, number) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        // The child has a copy of the actions of signals, too.
        system::take_default(libc::SIGPIPE);
        inherited::close_streams()?;
        self.kept.iter().copied().try_for_each(system::keep)?;
        inherited::restore()?;
        system::end_with(self.parent)?;
        self.before.restore()?;
        let Some(program) = self.arguments.first() else { return Ok(()) };
        // SAFETY: the program and the lists are texts that end with zero, and lists that end with null.
        unsafe {
            libc::execvpe(*program, self.arguments.as_ptr(), self.variables.as_ptr());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn variables_are_those_of_the_process_with_the_changes_of_the_command() {
        let mut command = Command::new("true");
        command.env("VAULTLET_TEST_NEW", "a=b").env_remove("CARGO_MANIFEST_DIR");
        let variables = variables(&command).unwrap();
        let has = |text: &[u8]| variables.iter().any(|it| it.as_slice() == text);
        assert!(has(b"VAULTLET_TEST_NEW=a=b\0"));
        assert!(!variables.iter().any(|it| it.starts_with(b"CARGO_MANIFEST_DIR=")));
        let path = std::env::var_os("PATH").unwrap();
        assert!(has(&[b"PATH=", path.as_bytes(), b"\0"].concat()));
        command.env("VAULTLET_TEST_NEW", OsStr::from_bytes(b"a\0b"));
        assert!(super::variables(&command).is_err());
        assert!(can_start(&command));
        command.env("PATH", "/bin");
        assert!(!can_start(&command));
    }
}
