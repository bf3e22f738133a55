//! Running a COMMAND of the command line, so that nobody notices that there is a process between it and its
//! parent: the command has our terminal, process group, standard streams, limits and ignored signals; signals are
//! passed on; no timer ends it; and the exit code is its own.
//!
//! On Linux the command gets SIGTERM when this process is killed. The kernel ties that to the *thread* that
//! started the command, so [`start`] belongs on the main thread, which lives as long as the process.

mod group;
mod inherited;
mod program;
mod signal_set;
mod signals;
mod stop;
mod system;

use std::ffi::OsString;
use std::io;
use std::process::{Child, Command};
use std::time::Duration;

use rustix::process::{Pid, WaitOptions, WaitStatus, getpid, waitpid};
use vaultlet_host::{Kind, not_started, with_started};

use crate::failure::Failure;

pub(crate) use group::wait_all;
pub(crate) use inherited::{
    hand_down, keep_core_limit, raise_descriptor_limit, restore_pipe_signal,
};
pub(crate) use program::program;
pub(crate) use signals::{Signals, ToServer, Waker};

use signals::Received;

/// The time after which a process that the library started, and waits for itself, is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What this process does besides while a program runs.
pub(crate) trait Attend {
    /// Gives terminals that are ours the size of the real ones; returns whether there are such.
    fn resize(&mut self) -> bool {
        false
    }

    /// Lets what the program has written be seen, before this process stops with it.
    fn before_stop(&mut self) {}

    /// Hears that the program is told to read its settings anew (SIGHUP).
    fn hang_up(&mut self) {}

    /// Looks at what there is to do, each time that a signal has come and each time that a [`Waker`] was used.
    fn attend(&mut self, _program: &Running) {}
}

/// Nothing else is to be done.
impl Attend for () {}

/// A program that was started.
pub(crate) struct Running {
    child: Child,
    pid: Pid,
    /// The signal that asked both processes to end, if one came.
    interrupted: Option<i32>,
    /// Whether such a signal came that no program takes for a wish to read its settings anew.
    is_ending: bool,
    /// The process that watched the program while it was stopped.
    watcher: Option<Pid>,
}

/// The end of a program.
#[derive(Clone, Copy)]
pub(crate) struct Ended {
    /// The program's exit code, or 128 + the signal that ended it.
    pub(crate) code: u8,
    /// The exit code 128 + signal, when a signal asked to end meanwhile, whatever the program did with it.
    pub(crate) interrupted: Option<u8>,
    /// Whether somebody asked the program to end, and not only to read its settings anew.
    pub(crate) is_ending: bool,
}

/// What became of the program since it was last looked at.
enum Change {
    Ended(u8),
    /// By this signal.
    Stopped(i32),
    Nothing,
}

/// The command in these words, with the standard streams that this process was started with; `None` without
/// words.
pub(crate) fn command(words: &[OsString]) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments);
    system::before_exec(&mut command, inherited::close_streams);
    Some(command)
}

/// Runs a command to its end.
pub(crate) fn run(mut command: Command, signals: &Signals) -> Result<Ended, Failure> {
    Ok(start(&mut command, signals)?.wait(signals))
}

/// Starts a command. Call this on the main thread.
pub(crate) fn start(command: &mut Command, signals: &Signals) -> Result<Running, Failure> {
    // From now on the library keeps a list of what it starts.
    with_started(|_| ());
    let (before, parent) = (signals.before(), getpid());
    system::before_exec(command, move || {
        inherited::restore()?;
        system::end_with(parent)?;
        before.restore()
    });
    let child = command.spawn().map_err(|error| failed(command, &error))?;
    let pid = Pid::from_child(&child);
    Ok(Running { child, pid, interrupted: None, is_ending: false, watcher: None })
}

/// Prepares a command that is executed in place of this process.
pub(crate) fn prepare_replacement(command: &mut Command, signals: &Signals) {
    let before = signals.before();
    system::before_exec(command, move || {
        inherited::restore()?;
        before.restore()
    });
}

impl Running {
    /// The program's standard streams, where they are pipes.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether somebody has asked the program to end.
    pub(crate) fn is_ending(&self) -> bool {
        self.is_ending
    }

    /// Asks the program to end.
    pub(crate) fn terminate(&self) {
        self.signal(libc::SIGTERM);
    }

    /// Sends a signal to the program.
    pub(crate) fn signal(&self, number: i32) {
        let signal = Received { number, sender: 0, is_of_kernel: false, value: None };
        system::send(self.pid, &signal);
    }

    /// Waits for the end, and meanwhile passes signals on, stops and continues with the program, and waits for
    /// processes whose parents have ended, which become ours when this is process 1.
    pub(crate) fn wait(self, signals: &Signals) -> Ended {
        self.wait_with(signals, &mut ())
    }

    /// [`Running::wait`], and meanwhile does something else, too.
    pub(crate) fn wait_with(mut self, signals: &Signals, also: &mut dyn Attend) -> Ended {
        loop {
            match self.look() {
                Change::Ended(code) => {
                    let Self { interrupted, is_ending, .. } = self;
                    return Ended { code, interrupted: interrupted.map(signal_code), is_ending };
                }
                Change::Stopped(signal) => {
                    also.before_stop();
                    self.watcher = stop::follow(self.pid, signal);
                }
                Change::Nothing => {
                    let again = reap_others(|pid| pid == self.pid);
                    also.attend(&self);
                    if let Some(received) = signals.next(again) {
                        if received.number == libc::SIGHUP {
                            also.hang_up();
                        }
                        // The program may have looked at its terminals before they had their new size.
                        if received.number == libc::SIGWINCH && also.resize() {
                            system::send(self.pid, &received);
                        } else {
                            self.pass_on(received);
                        }
                    }
                }
            }
        }
    }

    fn look(&self) -> Change {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
        match waitpid(Some(self.pid), options) {
            Ok(Some((_, status))) if status.stopped() => {
                Change::Stopped(status.stopping_signal().unwrap_or(libc::SIGSTOP))
            }
            Ok(Some((_, status))) => Change::Ended(code(status)),
            Ok(None) | Err(rustix::io::Errno::INTR) => Change::Nothing,
            // There is no such child, which cannot be: nobody else waits for it.
            Err(_) => Change::Ended(u8::MAX),
        }
    }

    fn pass_on(&mut self, received: Received) {
        if received.asks_to_end() {
            self.interrupted = Some(received.number);
            self.is_ending |= received.number != libc::SIGHUP;
        }
        let is_of_watcher = self.watcher.is_some_and(|pid| pid.as_raw_pid() == received.sender);
        if is_of_watcher || received.is_meant_for_us() || received.has_reached(self.pid) {
            return;
        }
        // A program stops itself by a signal to its whole group, as vim does. A second one would stop it again.
        if received.stops() && stop::is_or_descends_from(received.sender, self.pid) {
            return;
        }
        system::send(self.pid, &received);
    }
}

/// Waits for all other processes that are ours and have ended. Returns when to look again, if a process must be
/// left to the library for now.
fn reap_others(is_program: impl Fn(Pid) -> bool) -> Option<Duration> {
    with_started(|is_started| {
        while let Some(ended) = system::ended_child() {
            if is_program(ended) {
                return None;
            }
            if is_started(ended.as_raw_pid().cast_unsigned()) {
                return Some(LOOK_AGAIN);
            }
            let _ = waitpid(Some(ended), WaitOptions::NOHANG);
        }
        None
    })
}

/// The exit code that a shell would report.
fn code(status: WaitStatus) -> u8 {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(u8::MAX),
        (None, Some(signal)) => signal_code(signal),
        (None, None) => u8::MAX,
    }
}

fn signal_code(signal: i32) -> u8 {
    u8::try_from(signal).map_or(u8::MAX, |signal| 128_u8.saturating_add(signal))
}

pub(crate) fn failed(command: &Command, error: &io::Error) -> Failure {
    let doing = format!("running `{}`", command.get_program().to_string_lossy());
    if let Some(missing) = not_started(&doing, error) {
        return missing.into();
    }
    if error.kind() == io::ErrorKind::ArgumentListTooLong {
        let message = format!("{doing}: its variables or arguments are too large for the system");
        let help = "shorten them, one may have 128 KiB; or give it large values as files: a secret by \
                    `?as=file` in its reference";
        return Failure::own(Kind::Denied, "command-not-executable", message, help).with_exit(126);
    }
    let (kind, id, exit) = match error.kind() {
        io::ErrorKind::NotFound => (Kind::NotFound, "command-not-found", 127),
        _ => (Kind::Denied, "command-not-executable", 126),
    };
    let message = format!("{doing}: {}", error.to_string().to_lowercase());
    let help = "check its name and `PATH`, and that it is executable";
    Failure::own(kind, id, message, help).with_exit(exit)
}
