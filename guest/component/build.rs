//! Link arguments of the component.
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a build script speaks to cargo by these"
)]

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../wit");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        // 1 MiB by default, which every instance in a pool would pay for.
        println!("cargo:rustc-link-arg-cdylib=-zstack-size=65536");
        // Addresses and indices as short as they can be, a third of the code; needs `strip`.
        if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
            println!("cargo:rustc-link-arg-cdylib=--compress-relocations");
        }
        // `memcpy` and its like: without `std` nobody else asks for the C library that has them.
        println!("cargo:rustc-link-arg-cdylib=-lc");
    }
}
