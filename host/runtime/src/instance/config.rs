//! wasmtime's configuration, shared by the build script, which compiles the component, and the
//! host, which loads the result. wasmtime refuses to load code that was compiled with other
//! options.

use wasmtime::{Config, Inlining, WasmBacktraceDetails, WasmFeatures};

/// Addresses that are reserved for the memory of an instance of the component, which never grows beyond
/// them: few enough that a process under a limit (`ulimit -v`) has room for its instances.
pub(crate) const MEMORY_RESERVED: u64 = 16 << 20;

/// The configuration, for memories for which so many addresses are reserved. It sets each option that affects the compiled code and whose default depends
/// on a cargo feature or on the machine, so that an embedder's choice of features cannot make
/// loading fail.
pub(crate) fn config(memory_reserved: u64, is_for_windows: bool) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(true)
        .consume_fuel(false)
        .gc_support(false)
        .shared_memory(false)
        .wasm_features(WasmFeatures::THREADS, false)
        .wasm_features(WasmFeatures::GC, false)
        .wasm_features(WasmFeatures::EXCEPTIONS, false)
        .wasm_features(WasmFeatures::STACK_SWITCHING, false)
        .wasm_simd(true)
        .wasm_relaxed_simd(false)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .generate_address_map(false)
        // Windows unwinds through all code that is on a stack.
        .native_unwind_info(is_for_windows)
        .debug_info(false)
        .compiler_inlining(Inlining::No)
        .memory_init_cow(true)
        .memory_reservation(memory_reserved)
        .memory_reservation_for_growth(0)
        .memory_guard_size(32 << 20)
        .memory_may_move(false)
        .guard_before_linear_memory(false)
        .table_lazy_init(true)
        .signals_based_traps(true);
    config
}
