//! `--watch`: a command that is started anew, told, or ended when one of its secrets has a new version.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::job::Job;
use super::masked::Masked;
use super::on_change::{self, OnChange};
use super::output::Output;
use super::watch::Change;
use crate::child::{self, Attend, Running, Signals, Watched};
use crate::failure::Failure;

/// The exit code of a command that was ended because of a change: whoever started it shall try again.
const TRY_AGAIN: u8 = 75;
/// A watched command.
pub(super) struct Supervisor {
    job: Job,
    /// Where its output is masked.
    output: Option<Output>,
    masked: Masked,
    changes: Receiver<Change>,
    on_change: OnChange,
    /// Whether the command was asked to end because of a change.
    is_replaced: bool,
}

impl Supervisor {
    pub(super) fn new(
        job: Job,
        output: Option<Output>,
        masked: Masked,
        changes: Receiver<Change>,
        on_change: OnChange,
    ) -> Self {
        Self { job, output, masked, changes, on_change, is_replaced: false }
    }

    /// Runs the command, as often as its secrets change.
    pub(super) fn run(mut self, signals: &Signals) -> Result<ExitCode, Failure> {
        if let Some(output) = &self.output {
            output.mask(self.masked.mask());
        }
        let ended = self.run_to_the_last(signals);
        // Also when it could not be started anew: what it has written before is carried to its end.
        let code = ended.as_ref().copied().unwrap_or(1);
        let carried = self.output.map(|output| output.end(code, signals));
        let code = ended?;
        carried.unwrap_or_else(|| Ok(ExitCode::from(code)))
    }

    fn run_to_the_last(&mut self, signals: &Signals) -> Result<u8, Failure> {
        loop {
            let mut command = self.job.command()?;
            if let Some(output) = &self.output {
                output.give(&mut command)?;
            }
            let running = child::start(&mut command, signals)?;
            // With the command, our copies of its streams are closed.
            drop(command);
            let end = running.wait_with(signals, self);
            match self.on_change {
                OnChange::Exit if self.is_replaced => return Ok(TRY_AGAIN),
                OnChange::Restart if self.is_replaced && !end.is_ending => {}
                _ => return Ok(end.code),
            }
            // Nobody was there to pass such a signal on to.
            if let Some(end) = signals.pending_end() {
                return Ok(end);
            }
            if let Some(output) = &self.output {
                output.reset();
            }
            self.is_replaced = false;
        }
    }

    fn take(&mut self, change: Change, program: &Running) {
        let Change { names, resolved } = change;
        if let Some(output) = &self.output {
            self.masked.add(resolved.masked);
            output.mask(self.masked.mask());
        }
        let what = format!("{} changed in the vault", names.join(", "));
        let outcome = match self.on_change {
            _ if program.is_ending() => "the command is ending already".to_owned(),
            OnChange::Restart | OnChange::Exit if self.is_replaced => {
                self.job.take(resolved.variables);
                return;
            }
            OnChange::Restart => "restarting the command".to_owned(),
            OnChange::Exit => "ending the command".to_owned(),
            OnChange::Signal(signal) => {
                format!("sending {} to the command", on_change::name(signal))
            }
        };
        let _ = writeln!(io::stderr(), "vaultlet: {what}; {outcome}");
        if program.is_ending() {
            return;
        }
        match self.on_change {
            OnChange::Restart | OnChange::Exit => {
                self.is_replaced = true;
                program.terminate();
            }
            OnChange::Signal(signal) => {
                if let Err(failure) = self.job.update(&resolved.variables) {
                    failure.tell("");
                }
                program.signal(signal);
            }
        }
        self.job.take(resolved.variables);
    }
}

impl Attend for Supervisor {
    fn resize(&mut self) -> bool {
        self.output.as_mut().is_some_and(Attend::resize)
    }

    fn watched(&self) -> Vec<Watched<'_>> {
        self.output.as_ref().map(Attend::watched).unwrap_or_default()
    }

    fn again(&self) -> Option<Duration> {
        self.output.as_ref().and_then(Attend::again)
    }

    fn before_stop(&mut self) {
        if let Some(output) = &mut self.output {
            output.before_stop();
        }
    }

    fn attend(&mut self, program: &Running) {
        if let Some(output) = &mut self.output {
            output.attend(program);
        }
        while let Ok(change) = self.changes.try_recv() {
            self.take(change, program);
        }
    }
}
