//! Link arguments of a component without `std`.
#![allow(clippy::disallowed_macros, reason = "a build script speaks to cargo by it")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // 1 MiB by default, which every instance would pay for.
    println!("cargo::rustc-link-arg-cdylib=-zstack-size=65536");
    // `memcpy` and its like: nobody else asks for the C library that has them.
    println!("cargo::rustc-link-arg-cdylib=-lc");
}
