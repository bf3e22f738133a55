//! Link arguments of a component without `std`.

fn main() {
    // `memcpy` and its like: nobody else asks for the C library that has them.
    println!("cargo::rustc-link-arg-cdylib=-lc");
}
