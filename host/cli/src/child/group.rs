//! Programs that run together, such as the processes of one job: all get the signals of this process, and when one
//! fails the others are ended.

use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};

use super::signals::Signals;
use super::{Change, Running, reap_others, stop};

/// The time that the others have to end in, when one has failed. After it they are killed. It is that of torchrun.
const TO_END: Duration = Duration::from_secs(30);

/// One of the programs.
struct Member {
    running: Running,
    /// The signal that has stopped it, while it stands still.
    stopped: Option<i32>,
    has_ended: bool,
}

/// Waits until all programs have ended, as [`Running::wait`] does for one. The last of them are servers, which are
/// ended when the others have ended. Returns the exit code of the first that failed, of which `failed` is told with
/// its number; or zero.
pub(crate) fn wait_all(
    programs: Vec<Running>,
    servers: usize,
    signals: &Signals,
    failed: impl Fn(usize, u8),
) -> u8 {
    let clients = programs.len().saturating_sub(servers);
    let member = |running| Member { running, stopped: None, has_ended: false };
    let mut members: Vec<_> = programs.into_iter().map(member).collect();
    let (mut code, mut is_done, mut deadline) = (0, false, None);
    loop {
        for number in 0..members.len() {
            let Some(ended) = members.get_mut(number).and_then(Member::look) else { continue };
            if ended != 0 && code == 0 && !is_done {
                code = ended;
                // Whoever has asked all of them to end gives them the time that they need.
                let is_asked = members.iter().any(|it| it.running.interrupted.is_some());
                if !is_asked && members.iter().any(|it| !it.has_ended) {
                    failed(number, ended);
                    send(&members, Signal::TERM);
                    deadline = Some(Instant::now() + TO_END);
                }
            }
        }
        if !is_done && members.iter().take(clients).all(|it| it.has_ended) {
            is_done = true;
            if deadline.is_none() {
                send(&members, Signal::TERM);
                deadline = Some(Instant::now() + TO_END);
            }
        }
        let mut left = members.iter().filter(|it| !it.has_ended);
        let Some(first) = left.next() else { return code };
        if let Some(signal) = first.stopped
            && left.all(|it| it.stopped.is_some())
        {
            let watcher = stop::follow(first.running.pid, signal);
            for member in &mut members {
                member.stopped = None;
                member.running.watcher = watcher;
            }
            continue;
        }
        let again = reap_others(|pid| members.iter().any(|it| it.running.pid == pid));
        let until = deadline.map(|it: Instant| it.saturating_duration_since(Instant::now()));
        if until == Some(Duration::ZERO) {
            send(&members, Signal::KILL);
            deadline = None;
            continue;
        }
        if let Some(received) = signals.next(again.into_iter().chain(until).min()) {
            for member in members.iter_mut().filter(|it| !it.has_ended) {
                member.running.pass_on(received);
            }
        }
    }
}

impl Member {
    /// The exit code, when the program has ended since it was last looked at.
    fn look(&mut self) -> Option<u8> {
        if self.has_ended {
            return None;
        }
        match self.running.look() {
            Change::Ended(code) => {
                self.has_ended = true;
                return Some(code);
            }
            Change::Stopped(signal) => self.stopped = Some(signal),
            Change::Nothing => {}
        }
        None
    }
}

/// Sends a signal to all that have not ended. One that stands still gets it when it is continued, so it is.
fn send(members: &[Member], signal: Signal) {
    for member in members.iter().filter(|it| !it.has_ended) {
        let _ = kill_process(member.running.pid, signal);
        let _ = kill_process(member.running.pid, Signal::CONT);
    }
}
