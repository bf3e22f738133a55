//! Makes a component from a C program, as `wit-bindgen c` and `wasm-tools component new` do:
//! `toolchain bindings WORLD.wit DEPENDENCY FOLDER` writes the bindings of a world into a folder
//! (DEPENDENCY has the packages that the world uses); `toolchain component CORE.wasm OUTPUT` turns a
//! linked module into a component.

use anyhow::{Context as _, bail};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as REACTOR,
};
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;
use wit_component::ComponentEncoder;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["bindings", world, dependency, folder] => bindings(world, dependency, folder),
        ["component", core, output] => component(core, output),
        _ => bail!("usage: toolchain bindings WORLD DEPENDENCY FOLDER | component CORE OUTPUT"),
    }
}

fn bindings(world: &str, dependency: &str, folder: &str) -> anyhow::Result<()> {
    let mut resolve = Resolve::default();
    resolve.push_path(dependency)?;
    let (package, _) = resolve.push_path(world)?;
    let world = resolve.select_world(&[package], None)?;
    let mut files = Files::default();
    let mut generator = wit_bindgen_c::Opts::default().build();
    generator.generate(&mut resolve, world, &mut files)?;
    for (name, content) in files.iter() {
        std::fs::write(format!("{folder}/{name}"), content).context(name.to_owned())?;
    }
    Ok(())
}

fn component(core: &str, output: &str) -> anyhow::Result<()> {
    let module = std::fs::read(core).context(core.to_owned())?;
    let mut encoder = ComponentEncoder::default();
    let encoder = encoder.validate(true).module(&module)?.adapter(ADAPTER, REACTOR)?;
    std::fs::write(output, encoder.encode()?).context(output.to_owned())
}
