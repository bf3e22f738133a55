//! The output of several commands that run together, each masked by itself. They write to pipes also where ours is a
//! terminal, which none of them has for itself.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread;

use rustix::pipe::{PipeFlags, pipe_with};

use super::output::{self, PIPE, is_same};
use super::pump::{Link, Pump};
use crate::child::{self, Running, Signals};
use crate::failure::Failure;
use crate::mask::Mask;
use crate::output::failed;

/// Runs commands with their output masked, until all have ended. When one fails the others are ended. The exit code
/// is that of the first that failed.
pub(crate) fn run_all(
    mut commands: Vec<Command>,
    mask: Mask,
    signals: &Signals,
) -> Result<ExitCode, Failure> {
    if let [_] = commands[..]
        && let Some(command) = commands.pop()
    {
        return output::run(command, mask, signals);
    }
    let mut links = Vec::new();
    if !mask.is_empty() {
        for command in &mut commands {
            links.extend(connect(command).map_err(|error| failed(&error))?);
        }
    }
    let mask = Arc::new(mask);
    // Its closing says that the commands have ended.
    let (ended, has_ended) = pipe_with(PipeFlags::CLOEXEC).map_err(|e| failed(&e.into()))?;
    let ended = Arc::new(ended);
    let mut pumps = Vec::new();
    for link in links {
        let pump = Pump::new(link, Arc::clone(&mask), Arc::clone(&ended));
        let started = thread::Builder::new().name("vaultlet-mask".into()).spawn(move || pump.run());
        pumps.push(started.map_err(|error| failed(&error))?);
    }
    let (running, not_started) = start(&mut commands, signals);
    // With the commands, our ends of what they write to are closed.
    drop(commands);
    let code = child::wait_all(running, signals, |rank, code| {
        let _ = writeln!(
            io::stderr(),
            "vaultlet: process {rank} has ended with {code}; the others are ended now"
        );
    });
    drop(has_ended);
    let results: Vec<_> = pumps.into_iter().filter_map(|pump| pump.join().ok()).collect();
    if let Some(failure) = not_started {
        return Err(failure);
    }
    match results.into_iter().find_map(Result::err) {
        Some(error) if code == 0 => Err(failed(&error)),
        _ => Ok(ExitCode::from(code)),
    }
}

/// Starts all commands, or ends those that were started.
fn start(commands: &mut [Command], signals: &Signals) -> (Vec<Running>, Option<Failure>) {
    let mut running: Vec<Running> = Vec::new();
    for command in commands {
        match child::start(command, signals) {
            Ok(started) => running.push(started),
            Err(failure) => {
                for started in &mut running {
                    let _ = started.child().kill();
                }
                return (running, Some(failure));
            }
        }
    }
    (running, None)
}

/// Gives a command pipes in place of the streams of this process. Returns where each is read and where it goes.
fn connect(command: &mut Command) -> io::Result<Vec<Link>> {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let mut links = Vec::new();
    let (reader, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
    let _ = rustix::pipe::fcntl_setpipe_size(&theirs, PIPE);
    links.push(Link { reader, writer: stdout.as_fd().try_clone_to_owned()?, terminal: None });
    if is_same(stdout.as_fd(), stderr.as_fd()) {
        command.stderr(Stdio::from(theirs.try_clone()?));
    } else {
        let (reader, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
        let writer = stderr.as_fd().try_clone_to_owned()?;
        links.push(Link { reader, writer, terminal: None });
        command.stderr(Stdio::from(theirs));
    }
    command.stdout(Stdio::from(theirs));
    Ok(links)
}
