//! The engine's configuration, shared by the build script, which compiles the component with it,
//! and the host, which loads the result: a difference of one option and loading is refused.

use wasmtime::{Config, Inlining, WasmBacktraceDetails, WasmFeatures};

/// Each option is set that has an effect on the compiled code and whose default depends on a cargo
/// feature or on the machine, so that an embedder's feature choices cannot make loading fail.
pub(crate) fn config() -> Config {
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
        .native_unwind_info(false)
        .debug_info(false)
        .compiler_inlining(Inlining::No)
        .memory_init_cow(true)
        // Wide enough that no access needs a check of its bounds: a third of the code.
        .memory_reservation(4 << 30)
        .memory_reservation_for_growth(0)
        .memory_guard_size(32 << 20)
        .memory_may_move(false)
        .guard_before_linear_memory(false)
        .table_lazy_init(true)
        .signals_based_traps(true);
    config
}
