//! The command line: the export `wasi:cli/run`.

use alloc::vec::Vec;

use crate::{
    Provider,
    bindings::{
        exports::wasi::cli::run::Guest,
        wasi::{
            cli::{environment, stderr, stdout},
            io::streams::OutputStream,
        },
    },
    world::World,
};
use vaultlet_core::command;

/// The most bytes that one `blocking-write-and-flush` takes.
const CHUNK: usize = 4096;

impl Guest for Provider {
    fn run() -> Result<(), ()> {
        let world = World::get();
        let arguments: Vec<_> = environment::get_arguments().into_iter().skip(1).collect();
        let done = command::run(world, &world.memory, &arguments);
        write(&stdout::get_stdout(), done.stdout.as_bytes())?;
        write(&stderr::get_stderr(), done.stderr.as_bytes())?;
        if done.is_success { Ok(()) } else { Err(()) }
    }
}

/// Writes all bytes, in chunks.
pub(crate) fn write(stream: &OutputStream, bytes: &[u8]) -> Result<(), ()> {
    for chunk in bytes.chunks(CHUNK) {
        stream.blocking_write_and_flush(chunk).map_err(drop)?;
    }
    Ok(())
}
