//! The component's exports as Rust, generated from the WIT that the component is built from.
//!
//! Never enable bindgen's `tracing`: it would log results, and one of them is a secret. No record
//! holds a secret's value or a token, so that records may have `Debug`.

wasmtime::component::bindgen!({
    path: "wit",
    world: "provider",
    exports: { default: async },
    additional_derives: [Eq, Hash, PartialEq],
    with: {
        "wasi:io": wasmtime_wasi::p2::bindings::io,
        "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
        "wasi:random": wasmtime_wasi::p2::bindings::random,
        "wasi:filesystem": wasmtime_wasi::p2::bindings::filesystem,
        "wasi:cli": wasmtime_wasi::p2::bindings::cli,
        "wasi:http": wasmtime_wasi_http::p2::bindings::http,
    },
});
