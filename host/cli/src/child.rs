//! Running a child process so that neither process outlives the other: signals are forwarded, and the exit
//! code is the one that a shell would report.

use std::io::{self, IsTerminal as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitCode, ExitStatus, Output};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator;
use vaultlet_host::Kind;

use crate::failure::Failure;

/// The time that an interrupted child has before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// The signals that interrupt this process. While they are watched, they no longer end it by default.
pub(crate) struct Signals {
    events: Receiver<Event>,
    sender: Sender<Event>,
}

enum Event {
    Signal(i32),
    Ended(io::Result<Output>),
}

/// An interruption of this process by a signal.
#[derive(Clone, Copy)]
pub(crate) struct Interrupted(i32);

impl Signals {
    pub(crate) fn watch() -> Result<Self, Failure> {
        let mut signals = iterator::Signals::new([SIGHUP, SIGINT, SIGTERM]).map_err(|e| {
            let message = format!("watching for signals: {}", e.to_string().to_lowercase());
            Failure::own(Kind::Internal, "internal", message, "report it with this message")
        })?;
        let (sender, events) = mpsc::channel();
        let on_signal = sender.clone();
        std::thread::spawn(move || {
            for signal in signals.forever() {
                if on_signal.send(Event::Signal(signal)).is_err() {
                    break;
                }
            }
        });
        Ok(Self { events, sender })
    }
}

impl Interrupted {
    /// Waits for a signal.
    pub(crate) fn wait(signals: &Signals) -> Self {
        loop {
            // The channel cannot close: this value has a sender, too.
            if let Ok(Event::Signal(signal)) = signals.events.recv() {
                return Self(signal);
            }
        }
    }

    /// The exit code after the signal: 128 + signal.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(signal_code(self.0))
    }
}

/// Runs a child to its end; an interrupt ends the child and this process.
pub(crate) fn run(
    command: &mut Command,
    signals: &Signals,
) -> Result<Result<Output, Interrupted>, Failure> {
    // At a terminal the child shares this process's group, so that it may read from the terminal and gets
    // the terminal's interrupts. Elsewhere it has its own group, so that its children can be signalled.
    let own_group = !io::stdin().is_terminal();
    if own_group {
        command.process_group(0);
    }
    let child = command.spawn().map_err(|error| failed(command, &error))?;
    let pid = Pid::from_child(&child);
    wait_in_thread(child, signals.sender.clone());
    let mut interrupted: Option<Interrupted> = None;
    loop {
        let event = match interrupted {
            None => signals.events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(_) => signals.events.recv_timeout(GRACE),
        };
        match event {
            Ok(Event::Ended(output)) => {
                return match interrupted {
                    Some(interrupted) => {
                        // Ends the processes that the child left running in its group.
                        forward(pid, own_group, Signal::KILL);
                        Ok(Err(interrupted))
                    }
                    None => output.map(Ok).map_err(|error| failed(command, &error)),
                };
            }
            Ok(Event::Signal(signal)) if interrupted.is_none() => {
                interrupted = Some(Interrupted(signal));
                if own_group || signal != SIGINT {
                    forward(pid, own_group, to_signal(signal));
                }
            }
            // A second interrupt, or the end of the child's time.
            Ok(Event::Signal(_)) | Err(_) => forward(pid, own_group, Signal::KILL),
        }
    }
}

/// The exit code that a shell would report.
pub(crate) fn code(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(u8::MAX),
        (None, Some(signal)) => signal_code(signal),
        (None, None) => u8::MAX,
    }
}

fn wait_in_thread(child: Child, sender: Sender<Event>) {
    std::thread::spawn(move || {
        // Sending fails when this process is ending already.
        let _ = sender.send(Event::Ended(child.wait_with_output()));
    });
}

fn forward(pid: Pid, group: bool, signal: Signal) {
    // The child may have ended by now.
    let _ = if group { kill_process_group(pid, signal) } else { kill_process(pid, signal) };
}

fn to_signal(signal: i32) -> Signal {
    match signal {
        SIGHUP => Signal::HUP,
        SIGINT => Signal::INT,
        _ => Signal::TERM,
    }
}

fn signal_code(signal: i32) -> u8 {
    u8::try_from(signal).map_or(u8::MAX, |signal| 128_u8.saturating_add(signal))
}

fn failed(command: &Command, error: &io::Error) -> Failure {
    let program = command.get_program().to_string_lossy();
    let (kind, id, exit) = match error.kind() {
        io::ErrorKind::NotFound => (Kind::NotFound, "command-not-found", 127),
        _ => (Kind::Denied, "command-not-executable", 126),
    };
    let message = format!("running `{program}`: {}", error.to_string().to_lowercase());
    let help = "check its name and `PATH`, and that it is executable";
    Failure::own(kind, id, message, help).with_exit(exit)
}
