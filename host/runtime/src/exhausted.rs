//! Resources that the operating system has none left of: descriptors, threads, memory, addresses. Each has an
//! error id of its own, which says the limit. The cause is this process or its machine, and never a server.
//! <https://man7.org/linux/man-pages/man3/errno.3.html>

use std::io;

use rustix::io::Errno;

use crate::error::Error;
use crate::limits;
use crate::system::limits as of_process;

/// Whether an error of this id is because a resource of this process or machine was missing.
pub fn is_exhausted(id: &str) -> bool {
    IDS.contains(&id)
}

/// The ids of this module's errors.
const IDS: [&str; 6] = [
    "descriptor-limit",
    "system-descriptors",
    "process-limit",
    "memory-limit",
    "address-space",
    "memory-file",
];

impl Error {
    /// Whether a resource of this process or machine was missing.
    pub(crate) fn is_exhausted(&self) -> bool {
        is_exhausted(&self.id)
    }
}

/// The error of a step for which a resource was missing; `None` when the step failed for another reason.
pub fn exhausted(doing: &str, error: &io::Error) -> Option<Error> {
    if error.kind() == io::ErrorKind::OutOfMemory {
        return Some(no_memory(doing));
    }
    if of_process::is_machine_full(error) {
        return Some(Error::configuration(
            "system-descriptors",
            format!("{doing}: all files that this machine may have open are open (ENFILE)"),
            "end programs that hold many files open, or raise the machine's limit (`fs.file-max`)",
        ));
    }
    (Errno::from_io_error(error)? == Errno::MFILE).then(|| no_descriptor(doing))
}

/// The error of a thread or a program that was not started; `None` when nothing was missing for it.
pub fn not_started(doing: &str, error: &io::Error) -> Option<Error> {
    if Errno::from_io_error(error) != Some(Errno::AGAIN) {
        return exhausted(doing, error);
    }
    let is_short = |most: u64| {
        most < limits::ADDRESSES_FEW
            || most.saturating_sub(of_process::addresses_used()) < limits::ADDRESSES_FOR_THREAD
    };
    if of_process::addresses().is_some_and(is_short) {
        return Some(no_memory(doing));
    }
    let limit = match of_process::processes() {
        Some(most) => {
            format!("this user may have {most}, and a container may have a limit of its own")
        }
        None => "this container or machine has a limit".to_owned(),
    };
    Some(Error::configuration(
        "process-limit",
        format!("{doing}: the system starts no further thread or process (EAGAIN): {limit}"),
        "raise the limit (`ulimit -u`, or `pids.max` of the container), or start fewer threads",
    ))
}

/// The error of a thread that was not started.
pub(crate) fn thread(error: &io::Error) -> Error {
    const DOING: &str = "starting a thread";
    not_started(DOING, error).unwrap_or_else(|| Error::internal(format!("{DOING}: {error}")))
}

/// The error of a name lookup that failed when there were hardly any descriptors. The system's resolver does
/// not say that it had none, and calls it a failure of the network.
pub(crate) fn lookup(host: &str) -> Option<Error> {
    let doing = format!("looking up `{host}`");
    let mut opened = Vec::with_capacity(limits::DESCRIPTORS_FOR_LOOKUP);
    for _ in 0..limits::DESCRIPTORS_FOR_LOOKUP {
        match std::fs::File::open("/") {
            Ok(file) => opened.push(file),
            Err(error) => return exhausted(&doing, &error),
        }
    }
    None
}

/// The error of the WebAssembly runtime, when a resource was missing.
pub(crate) fn of_wasmtime(doing: &str, error: &wasmtime::Error) -> Option<Error> {
    let is_of_memory_file = error.chain().any(|cause| cause.to_string().contains("memfd"));
    error.chain().find_map(|cause| {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            if is_of_memory_file && io.kind() == io::ErrorKind::PermissionDenied {
                return Some(Error::configuration(
                    "memory-file",
                    format!("{doing}: a sandbox of this process forbids `memfd_create` (EPERM)"),
                    "allow that system call in the sandbox (seccomp)",
                ));
            }
            return exhausted(doing, io);
        }
        let errno = cause.downcast_ref::<Errno>()?;
        exhausted(doing, &io::Error::from(*errno))
    })
}

fn no_descriptor(doing: &str) -> Error {
    let limit =
        of_process::open_files().map_or_else(String::new, |most| format!(", which is {most}"));
    Error::configuration(
        "descriptor-limit",
        format!("{doing}: this process has as many files open as its limit allows (EMFILE){limit}"),
        "raise the limit (`ulimit -n`), or close files and connections that are not needed",
    )
}

fn no_memory(doing: &str) -> Error {
    let Some(most) = of_process::addresses() else {
        return Error::configuration(
            "memory-limit",
            format!("{doing}: the system gives this process no more memory (ENOMEM)"),
            "give the machine or the container more memory, or start fewer programs",
        );
    };
    Error::configuration(
        "address-space",
        format!(
            "{doing}: the {} MiB of address space that this process may have are not enough",
            most >> 20
        ),
        "raise the limit (`ulimit -v`), or let a library make fewer calls at once (`concurrency`)",
    )
}
