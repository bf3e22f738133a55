//! The component's exports as Rust, from the WIT that it is built from.
//!
//! Never with bindgen's `tracing`: it would log results, and one of them is a secret.

wasmtime::component::bindgen!({
    path: "wit",
    world: "provider",
    exports: { default: async },
    with: {
        "wasi:io": wasmtime_wasi::p2::bindings::io,
        "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
        "wasi:random": wasmtime_wasi::p2::bindings::random,
        "wasi:filesystem": wasmtime_wasi::p2::bindings::filesystem,
        "wasi:cli": wasmtime_wasi::p2::bindings::cli,
        "wasi:http": wasmtime_wasi_http::p2::bindings::http,
    },
});
