//! Programs that are run to their end.
//! <https://learn.microsoft.com/en-us/windows/win32/procthread/job-objects>

use std::ffi::c_void;
use std::fs::File;
use std::io::{self, Read};
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::os::windows::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;
use std::{env, ptr, thread};

use windows_sys::Win32::Foundation::ERROR_BROKEN_PIPE;
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation,
    SetInformationJobObject, TerminateJobObject,
};
use windows_sys::Win32::System::Pipes::PeekNamedPipe;
use windows_sys::Win32::System::Threading::CREATE_NO_WINDOW;

/// How a program's name may end, in the order in which they are tried. `az` is a `.cmd`.
const ENDINGS: [&str; 4] = ["exe", "cmd", "bat", "com"];

/// How often the output of a program is looked at.
const SLICE: Duration = Duration::from_millis(5);

/// The program of this name in a folder.
pub(crate) fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut files = ENDINGS.iter().map(|ending| folder.join(format!("{name}.{ending}")));
    files.find(|file| file.is_file())
}

/// Has a program run in a folder that is always there, and without a window of its own.
pub(crate) fn set_apart(command: &mut Command) {
    if let Some(folder) = env::var_os("SystemRoot") {
        command.current_dir(folder);
    }
    command.creation_flags(CREATE_NO_WINDOW);
}

/// A program and all that it started since it was put into the job: what `cmd` starts for a `.cmd`.
pub(crate) struct Group(Option<OwnedHandle>);

impl Group {
    /// A job of the program. Where the system makes none, only the program itself is ended.
    #[allow(unsafe_code, reason = "the standard library has no jobs")]
    pub(crate) fn of(child: &Child) -> Self {
        // SAFETY: the handle is new and has no other owner.
        let job = unsafe { CreateJobObjectW(ptr::null(), ptr::null()) };
        if job.is_null() {
            return Self(None);
        }
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        let size = u32::try_from(size_of_val(&limits)).unwrap_or_default();
        // SAFETY: both handles are open, and the pointer is to a struct of the size that is given.
        unsafe {
            let job = OwnedHandle::from_raw_handle(job);
            let information = (&raw const limits).cast::<c_void>();
            let kind = JobObjectExtendedLimitInformation;
            SetInformationJobObject(job.as_raw_handle(), kind, information, size);
            let is_in = AssignProcessToJobObject(job.as_raw_handle(), child.as_raw_handle()) != 0;
            Self(is_in.then_some(job))
        }
    }

    /// Ends all of them.
    #[allow(unsafe_code, reason = "the standard library has no jobs")]
    pub(crate) fn kill(&self) {
        if let Some(job) = &self.0 {
            // SAFETY: the handle is open.
            unsafe {
                TerminateJobObject(job.as_raw_handle(), 1);
            }
        }
    }
}

/// The output of a program. Reading it never waits.
pub(crate) struct Output(File);

impl Output {
    #[allow(clippy::unnecessary_wraps, reason = "on other systems it can fail")]
    pub(crate) fn new(pipe: impl Into<OwnedHandle>) -> io::Result<Self> {
        Ok(Self(pipe.into().into()))
    }
}

impl Read for Output {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let mut there = 0;
        // SAFETY: the handle is open, and the one pointer that is not null is to a number.
        #[allow(unsafe_code, reason = "the standard library only reads and waits")]
        let is_open = unsafe {
            let handle = self.0.as_raw_handle();
            PeekNamedPipe(
                handle,
                ptr::null_mut(),
                0,
                ptr::null_mut(),
                &raw mut there,
                ptr::null_mut(),
            )
        };
        if is_open == 0 {
            let error = io::Error::last_os_error();
            let is_end = error.raw_os_error() == Some(ERROR_BROKEN_PIPE.cast_signed());
            return if is_end { Ok(0) } else { Err(error) };
        }
        if there == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.0.read(space)
    }
}

/// Waits for a moment, in which output may come.
pub(crate) fn wait<'a>(_: impl Iterator<Item = &'a Output>, time: Duration) {
    thread::sleep(time.min(SLICE));
}

/// The exit status.
pub(crate) fn status(status: ExitStatus) -> i32 {
    status.code().unwrap_or(1)
}
