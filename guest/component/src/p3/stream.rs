//! Writing to standard output and standard error.

use crate::bindings::{
    wasi::cli::{stderr, stdout},
    wit_stream,
};
use futures_lite::future::zip;
use wit_bindgen::block_on;

/// Where a text goes.
#[derive(Clone, Copy)]
pub(crate) enum Output {
    Stdout,
    Stderr,
}

/// Writes all of the bytes.
pub(crate) fn write(output: Output, bytes: &[u8]) -> Result<(), ()> {
    if bytes.is_empty() {
        return Ok(());
    }
    let bytes = bytes.to_vec();
    block_on(async move {
        let (mut writer, reader) = wit_stream::new();
        let written = match output {
            Output::Stdout => stdout::write_via_stream(reader),
            Output::Stderr => stderr::write_via_stream(reader),
        };
        let all = async move { writer.write_all(bytes).await.is_empty() };
        let (all, written) = zip(all, written.into_future()).await;
        if all { written.map_err(drop) } else { Err(()) }
    })
}
