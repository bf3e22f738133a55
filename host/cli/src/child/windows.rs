//! Running a COMMAND of the command line on Windows: it shares our console, which tells it of Ctrl-C itself; we wait
//! for its end whatever comes, and end with its exit code. There are no signals.
//! <https://learn.microsoft.com/en-us/windows/console/setconsolectrlhandler>

#![allow(unsafe_code, reason = "the standard library has no handler of the console's events")]

#[path = "windows/command.rs"]
mod command;
#[path = "windows/events.rs"]
mod events;

use std::ffi::OsString;
use std::os::windows::io::AsHandle as _;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::failure::Failure;

pub(crate) use command::{check, program};

use command::failed;
pub(crate) use events::{Signals, Waker};

/// Signals by their names: there are none.
pub(crate) const SIGNALS: [(&str, i32); 0] = [];

/// The highest number of a signal: there are none.
pub(crate) fn last_signal() -> i32 {
    0
}

/// The last exit code of a command that is more than an [`ExitCode`] can hold, or zero.
static WHOLE: AtomicU32 = AtomicU32::new(0);

/// What this process does besides while a program runs.
#[allow(dead_code, reason = "as on other systems")]
pub(crate) trait Attend {
    /// Gives terminals that are ours the size of the real ones. There are none.
    fn resize(&mut self) -> bool {
        false
    }

    /// Files from which something to do may come. There are none.
    fn watched(&self) -> Vec<Watched<'_>> {
        Vec::new()
    }

    /// When to look again, if nothing tells of it. Something always does.
    fn again(&self) -> Option<Duration> {
        None
    }

    /// Nothing on Windows stops a program.
    fn before_stop(&mut self) {}

    /// Looks at what there is to do, each time that a [`Waker`] was used.
    fn attend(&mut self, _program: &Running) {}
}

/// Nothing else is to be done.
impl Attend for () {}

/// A program that was started.
pub(crate) struct Running {
    child: Mutex<Child>,
}

/// The end of a program.
#[derive(Clone, Copy)]
pub(crate) struct Ended {
    /// The program's exit code; 255 for a greater one, which [`end_whole`] knows.
    pub(crate) code: u8,
    /// The exit code for Ctrl-C and the like, when it came meanwhile, whatever the program did with it.
    pub(crate) interrupted: Option<u8>,
    /// Whether somebody asked the program to end.
    pub(crate) is_ending: bool,
}

/// The command in these words; `None` without words.
pub(crate) fn command(words: &[OsString]) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    // The system itself would look for the current folder's programs first, and for `.exe` alone.
    let path = std::env::var_os("PATH");
    let mut command = Command::new(command::program(program, path.as_deref()));
    command.args(arguments);
    Some(command)
}

/// Runs a command to its end.
pub(crate) fn run(mut command: Command, signals: &Signals) -> Result<Ended, Failure> {
    Ok(start(&mut command, signals)?.wait(signals))
}

/// Starts a command.
pub(crate) fn start(command: &mut Command, _: &Signals) -> Result<Running, Failure> {
    let child = command.spawn().map_err(|error| failed(command, &error))?;
    WHOLE.store(0, Ordering::SeqCst);
    if let Ok(process) = child.as_handle().try_clone_to_owned() {
        // Wakes whoever waits for the program, as there is nothing that waits for it and for the console at once.
        thread::spawn(move || {
            events::wait_for(&process);
            Waker::wake();
        });
    }
    Ok(Running { child: Mutex::new(child) })
}

/// Runs a command as the last thing that this process does.
pub(crate) fn replace(command: Command, signals: &Signals) -> Result<ExitCode, Failure> {
    Ok(ExitCode::from(run(command, signals)?.code))
}

/// A file that may be waited for: there are none.
pub(crate) type Watched<'a> = std::marker::PhantomData<&'a ()>;

/// What a command inherits besides its standard streams: nothing.
pub(crate) type Descriptor = std::convert::Infallible;

/// Does nothing: no handles but the standard streams are inherited.
pub(crate) fn hand_down(_: &mut Command, _: Vec<Descriptor>) {}

/// Does nothing: there is no such limit.
pub(crate) fn keep_core_limit() {}

/// Does nothing: there is no such signal.
pub(crate) fn restore_pipe_signal() {}

/// Ends this process with the exit code of a command that an [`ExitCode`] cannot hold, if there was such a command.
pub(crate) fn end_whole(code: ExitCode) -> ExitCode {
    match WHOLE.load(Ordering::SeqCst) {
        0 => code,
        whole => std::process::exit(whole.cast_signed()),
    }
}

impl Running {
    /// The program's standard streams, where they are pipes.
    #[allow(clippy::unnecessary_wraps, reason = "as on other systems")]
    pub(crate) fn child(&mut self) -> Option<&mut Child> {
        Some(self.child.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether somebody has asked the program to end.
    #[allow(clippy::unused_self, reason = "as on other systems")]
    pub(crate) fn is_ending(&self) -> bool {
        events::interruption().is_some()
    }

    /// Ends the program at once: there is no way to ask one that has no window.
    pub(crate) fn terminate(&self) {
        let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }

    /// Does nothing: there are no signals.
    #[allow(clippy::unused_self, reason = "as on other systems")]
    pub(crate) fn signal(&self, _: i32) {}

    /// Waits for the end.
    pub(crate) fn wait(self, signals: &Signals) -> Ended {
        self.wait_with(signals, &mut ())
    }

    /// [`Running::wait`], and meanwhile does something else, too.
    pub(crate) fn wait_with(mut self, _: &Signals, also: &mut dyn Attend) -> Ended {
        loop {
            let seen = events::count();
            let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
            match child.try_wait() {
                Ok(None) => {}
                Ok(Some(status)) => return ended(code(status)),
                // There is no such child, which cannot be: nobody else waits for it.
                Err(_) => return ended(u8::MAX),
            }
            also.attend(&self);
            events::wait(seen);
        }
    }
}

fn ended(code: u8) -> Ended {
    let interrupted = events::interruption();
    Ended { code, interrupted, is_ending: interrupted.is_some() }
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().map_or(u32::from(u8::MAX), i32::cast_unsigned);
    u8::try_from(code).unwrap_or_else(|_| {
        WHOLE.store(code, Ordering::SeqCst);
        u8::MAX
    })
}
