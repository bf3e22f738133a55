//! One command that is run as several processes at the same time, such as the ranks of a training job.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use super::identity::Identity;
use super::job::Job;
use super::masked::Masked;
use super::masks::Masks;
use super::output::Output;
use super::{Handle, masked_to_the_end};
use crate::child::{self, Running, Signals};
use crate::failure::Failure;
use crate::references::Resolved;

/// What one of the processes has for itself.
pub(crate) type Process = Box<dyn Fn(&mut Command)>;

/// Runs a command as these processes, with the output of each masked, until all have ended. The last of them are
/// servers, which are ended when the others have ended. When one fails the others are ended, and the exit code is its.
pub(crate) fn run_all(
    words: Vec<OsString>,
    resolved: Resolved,
    processes: &[Process],
    servers: usize,
    signals: &Signals,
) -> Result<ExitCode, Failure> {
    let Resolved { variables, masked, .. } = resolved;
    let mut job = Job::new(words, variables, Identity::default());
    let masked = Masked::new(masked);
    if let [process] = processes {
        let mut command = job.command()?;
        process(&mut command);
        job.forget();
        return match masked.is_empty() {
            true => Ok(ExitCode::from(child::run(command, signals)?.code)),
            false => masked_to_the_end(command, None, masked, Handle::Idle(None), signals),
        };
    }
    let is_masked = !masked.is_empty();
    let masks = Arc::<Masks>::default();
    let (mut running, mut outputs, mut failure) = (Vec::new(), Vec::new(), None);
    for process in processes {
        match start(&mut job, process, is_masked.then_some(&masks), signals) {
            Ok((started, output)) => {
                running.push(started);
                outputs.extend(output);
            }
            Err(failed) => {
                running.iter().for_each(Running::terminate);
                failure = Some(failed);
                break;
            }
        }
    }
    job.forget();
    masks.set(masked.mask());
    drop(masked);
    let code = child::wait_all(running, servers, signals, |rank, code| {
        let _ = writeln!(
            io::stderr(),
            "vaultlet: process {rank} has ended with {code}; the others are ended now"
        );
    });
    let ends: Vec<_> = outputs.into_iter().map(|output| output.end(code, signals)).collect();
    match failure.map_or(Ok(()), Err) {
        Ok(()) => ends.into_iter().find(Result::is_err).unwrap_or(Ok(ExitCode::from(code))),
        Err(failure) => Err(failure),
    }
}

fn start(
    job: &mut Job,
    process: &Process,
    masks: Option<&Arc<Masks>>,
    signals: &Signals,
) -> Result<(Running, Option<Output>), Failure> {
    let mut output = masks.map(Output::piped).transpose()?;
    let mut command = job.command()?;
    process(&mut command);
    if let Some(output) = &mut output {
        output.give(&mut command)?;
        output.let_go();
    }
    Ok((child::start(&mut command, signals)?, output))
}
