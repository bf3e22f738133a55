//! The command line: the export `wasi:cli/run`.

use alloc::vec::Vec;

use super::{INSTANCE, stream::write};
use crate::{
    Provider,
    bindings::{
        exports::wasi::cli::run::Guest,
        wasi::cli::{environment, stderr, stdout},
    },
    platform::UNWRITTEN,
};
use vaultlet_core::command;

impl Guest for Provider {
    fn run() -> Result<(), ()> {
        let (context, memory) = INSTANCE.get();
        let arguments: Vec<_> = environment::get_arguments().into_iter().skip(1).collect();
        let done = command::run(context, memory, &arguments);
        if write(&stdout::get_stdout(), done.stdout.as_bytes()).is_err() {
            return write(&stderr::get_stderr(), UNWRITTEN.as_bytes()).and(Err(()));
        }
        write(&stderr::get_stderr(), done.stderr.as_bytes())?;
        if done.exit == 0 { Ok(()) } else { Err(()) }
    }
}
