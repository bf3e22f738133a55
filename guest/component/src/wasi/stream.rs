//! Writing to streams of WASI.

use crate::bindings::wasi::io::streams::OutputStream;

/// The most bytes that `blocking-write-and-flush` takes at once.
const CHUNK: usize = 4096;

/// Writes all of the bytes.
pub(crate) fn write(stream: &OutputStream, bytes: &[u8]) -> Result<(), ()> {
    for chunk in bytes.chunks(CHUNK) {
        stream.blocking_write_and_flush(chunk).map_err(drop)?;
    }
    Ok(())
}
