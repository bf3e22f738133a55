//! The command line: the export `wasi:cli/run`.

use alloc::vec::Vec;

use super::{
    INSTANCE,
    stream::{Output, write},
};
use crate::{
    Provider,
    bindings::{
        exports::wasi::cli::run::Guest,
        wasi::cli::{environment, exit},
    },
    platform::UNWRITTEN,
};
use vaultlet_core::command;

impl Guest for Provider {
    fn run() -> Result<(), ()> {
        let (context, memory) = INSTANCE.get();
        let arguments: Vec<_> = environment::get_arguments().into_iter().skip(1).collect();
        let done = command::run(context, memory, &arguments);
        if write(Output::Stdout, done.stdout.as_bytes()).is_err() {
            return write(Output::Stderr, UNWRITTEN.as_bytes()).and(Err(()));
        }
        // Who cannot be told the reason still gets the code.
        let _ = write(Output::Stderr, done.stderr.as_bytes());
        if done.exit != 0 {
            exit::exit_with_code(done.exit);
        }
        Ok(())
    }
}
