//! Compiles a plugin in a child process, whose time and memory are limited by the system, whatever the
//! component makes the compiler do, and which can be ended at any moment. A crash of the compiler
//! is no crash of this process either.
//!
//! The child is a `fork` that runs the compiler and nothing else: no program has to be installed
//! beside a library. It has one thread, the default action for each signal, no file but the pipe for
//! its result, and it dies with the thread that waits for it.

use std::ffi::c_int;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use wasmtime::Engine;

use crate::call::Call;
use crate::error::Error;
use crate::exhausted;
use crate::limits;
use crate::system::limits::addresses_used;

use super::component::{engine, not_usable, refused};
use super::options::CompiledCode;

/// Compiles a component, for as long as the call may take and in so many bytes of memory.
pub(super) fn compile(wasm: &[u8], memory: u64, call: &Call) -> Result<CompiledCode, Error> {
    call.check()?;
    let engine = engine()?;
    let failed = |e: io::Error| {
        const DOING: &str = "opening a plugin: starting a process that compiles it";
        exhausted::not_started(DOING, &e)
            .unwrap_or_else(|| Error::internal(format!("{DOING}: {e}")))
    };
    let limits = ChildLimits::new(memory, call);
    let (mut reader, writer) = io::pipe().map_err(failed)?;
    let child = fork(|| run_child(&engine, wasm, &writer, &limits)).map_err(failed)?;
    drop(writer);
    let output = read_output(&mut reader, call);
    drop(reader);
    // Before the child is ended: the call says why, if it has ended.
    let output = output?;
    let status = child.wait();
    match output.split_first() {
        Some((&COMPILED, code)) => match code.split_last_chunk::<8>() {
            Some((code, length)) if code.len() as u64 == u64::from_le_bytes(*length) => {
                Ok(CompiledCode(code.to_vec()))
            }
            _ => Err(ended(status, memory, call)),
        },
        Some((&REFUSED, text)) => Err(refused(&String::from_utf8_lossy(text))),
        _ => Err(ended(status, memory, call)),
    }
}

/// The first byte of what the child writes: before machine code and its length, or before a text.
const COMPILED: u8 = 1;
const REFUSED: u8 = 2;

/// The error of a compiler that has ended without a result.
fn ended(status: Option<c_int>, memory: u64, call: &Call) -> Error {
    let signal = status.filter(|s| libc::WIFSIGNALED(*s)).map(|s| libc::WTERMSIG(s));
    match signal {
        Some(libc::SIGXCPU | libc::SIGKILL) if call.check().is_err() => call.timed_out(),
        // The allocator aborts where there is no more memory.
        Some(libc::SIGABRT | libc::SIGKILL | libc::SIGSEGV | libc::SIGBUS) => Error::configuration(
            "plugin-limit",
            format!(
                "opening a plugin: compiling it needs more than {} MiB of memory",
                memory >> 20
            ),
            "allow more (`open_memory`), if it is to be trusted with that; usual code needs far less",
        ),
        Some(libc::SIGXCPU) => call.timed_out(),
        _ => not_usable("the compiler ended without a result"),
    }
}

/// Reads what the child writes, until its end.
fn read_output(reader: &mut PipeReader, call: &Call) -> Result<Vec<u8>, Error> {
    let failed = |e: io::Error| Error::internal(format!("opening a plugin: {e}"));
    let slice = Timespec::try_from(limits::WATCH).unwrap_or_default();
    let mut output = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        call.check()?;
        let ready = match poll(&mut [PollFd::new(&*reader, PollFlags::IN)], Some(&slice)) {
            Err(rustix::io::Errno::INTR) => continue,
            ready => ready.map_err(|e| failed(e.into()))?,
        };
        if ready == 0 {
            continue;
        }
        match reader.read(&mut piece) {
            Ok(0) => return Ok(output),
            Ok(read) => output.extend_from_slice(piece.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
        if output.len() > limits::PLUGIN_CODE_MAX {
            let most = limits::PLUGIN_CODE_MAX >> 20;
            return Err(not_usable(&format!("its machine code has more than {most} MiB")));
        }
    }
}

/// The limits of the child, read before the fork.
struct ChildLimits {
    /// Seconds of processor time: beside the deadline that the parent watches.
    seconds: u64,
    /// Bytes of address space, with those that this process has. Where the system does not tell
    /// them there is no such limit.
    addresses: Option<u64>,
    /// How many of them are for compiling.
    memory: u64,
}

impl ChildLimits {
    fn new(memory: u64, call: &Call) -> Self {
        let left = call.deadline().saturating_duration_since(Instant::now());
        let used = cfg!(target_os = "linux").then(addresses_used);
        let addresses = used.map(|used| used.saturating_add(memory));
        Self { seconds: left.as_secs().saturating_add(2), addresses, memory }
    }

    /// Whether this process, the child, has had so many addresses that the next request for memory may
    /// have been too much: a buffer that grows asks for as much again as it has.
    fn is_near(&self) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmPeak:"));
        let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<u64>().ok());
        let left = self.addresses.zip(peak).map(|(most, peak)| most.saturating_sub(peak << 10));
        left.is_some_and(|left| left < self.memory / 4 * 3)
    }
}

/// A child process, which is ended when this is dropped.
struct Child {
    pid: libc::pid_t,
    is_reaped: bool,
}

impl Child {
    /// Waits for the end of the child, which has closed its pipe. Nothing is known of a child that
    /// another part of this process has waited for.
    fn wait(mut self) -> Option<c_int> {
        self.reap()
    }

    fn reap(&mut self) -> Option<c_int> {
        self.is_reaped = true;
        let mut status = 0;
        loop {
            // SAFETY: the status is valid.
            #[allow(unsafe_code, reason = "the child is no `std::process::Child`")]
            let waited = unsafe { libc::waitpid(self.pid, &raw mut status, 0) };
            if waited == self.pid {
                return Some(status);
            }
            if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return None;
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.is_reaped {
            // SAFETY: the child has not been waited for, so that the id is still its own.
            #[allow(unsafe_code, reason = "the child is no `std::process::Child`")]
            unsafe {
                libc::kill(self.pid, libc::SIGKILL);
            }
            self.reap();
        }
    }
}

/// Starts a child that runs `work` and ends. Signals wait until the child has none of this process's
/// handlers any more.
fn fork(work: impl FnOnce()) -> io::Result<Child> {
    // SAFETY: the sets are valid. The child takes no lock but those of the allocator, which `fork` keeps
    // usable, and never returns from here.
    #[allow(unsafe_code, reason = "there is no safe way to fork")]
    unsafe {
        let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        let pid = libc::fork();
        if pid == 0 {
            let _ = catch_unwind(AssertUnwindSafe(work));
            libc::_exit(0);
        }
        let error = io::Error::last_os_error();
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut());
        if pid < 0 { Err(error) } else { Ok(Child { pid, is_reaped: false }) }
    }
}

/// What the child does.
fn run_child(engine: &Engine, wasm: &[u8], output: &PipeWriter, limits: &ChildLimits) {
    let Ok(mut output) = isolate(output, limits) else { return };
    // Nothing here may take a lock of the whole process, such as that of the panic hook: the thread
    // that holds it may not be in this process.
    let compiled = catch_unwind(AssertUnwindSafe(|| engine.precompile_component(wasm)));
    let Ok(compiled) = compiled else {
        // Some code panics where the allocator would abort.
        if limits.is_near() {
            std::process::abort();
        }
        return;
    };
    let _ = match compiled {
        Ok(code) => output
            .write_all(&[COMPILED])
            .and_then(|()| output.write_all(&code))
            .and_then(|()| output.write_all(&(code.len() as u64).to_le_bytes())),
        Err(error) => output
            .write_all(&[REFUSED])
            .and_then(|()| output.write_all(format!("{error:#}").as_bytes())),
    };
}

/// Takes from the child what it does not need, and limits it.
fn isolate(output: &PipeWriter, limits: &ChildLimits) -> io::Result<File> {
    const OUTPUT: c_int = 3;
    // SAFETY: all arguments are valid, and this process has one thread.
    #[allow(unsafe_code, reason = "there is no safe way to do this to the own process")]
    unsafe {
        for signal in 1..=64 {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none = MaybeUninit::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for standard in 0..OUTPUT {
            libc::dup2(null, standard);
        }
        if libc::dup2(output.as_raw_fd(), OUTPUT) < 0 {
            return Err(io::Error::last_os_error());
        }
        // Files that this process has must not stay open for as long as the child lives.
        #[cfg(target_os = "linux")]
        libc::syscall(libc::SYS_close_range, OUTPUT + 1, c_int::MAX, 0);
    }
    limit(libc::RLIMIT_CORE, 0)?;
    limit(libc::RLIMIT_CPU, limits.seconds)?;
    if let Some(addresses) = limits.addresses {
        limit(libc::RLIMIT_AS, addresses)?;
    }
    // SAFETY: nothing else owns the descriptor in this process.
    #[allow(unsafe_code, reason = "the descriptor was made above")]
    Ok(unsafe { File::from_raw_fd(OUTPUT) })
}

#[cfg(target_os = "linux")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_os = "linux"))]
type Resource = c_int;

/// Lowers a limit of this process.
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    // SAFETY: the struct is valid.
    #[allow(unsafe_code, reason = "there is no safe way to set a limit")]
    unsafe {
        let mut limit = MaybeUninit::<libc::rlimit>::zeroed().assume_init();
        if libc::getrlimit(resource, &raw mut limit) != 0 {
            return Err(io::Error::last_os_error());
        }
        limit.rlim_max = limit.rlim_max.min(most);
        limit.rlim_cur = limit.rlim_cur.min(most);
        if libc::setrlimit(resource, &raw const limit) == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}
