//! Link arguments of a component without `std`.

fn main() {
    // The C library provides `memcpy` and the like; without `std`, nothing else links it.
    println!("cargo::rustc-link-arg-cdylib=-lc");
}
