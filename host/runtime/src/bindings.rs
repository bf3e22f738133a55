//! The pure interfaces of the component as Rust, generated from the WIT that the component is built
//! from. The interfaces through which values and tokens pass are written by hand
//! (`net/message.rs`, `instance/records.rs`): generated records have `Debug`.
//!
//! Never enable bindgen's `tracing`: it would log results, and some of them are secrets.

wasmtime::component::bindgen!({
    path: "wit",
    inline: "
        package vaultlet:host;

        world pure {
            export vaultlet:keyvault/types@0.1.0;
            export vaultlet:keyvault/plan@0.1.0;
            export vaultlet:keyvault/render@0.1.0;
        }
    ",
    world: "vaultlet:host/pure",
    additional_derives: [Eq, Hash, PartialEq],
});
