//! Calls a function of a plugin, which may read one secret and nothing else of this machine.
//!
//! `cargo run -p vaultlet-host --features plugins --example plugin -- plugin.wasm akv://my-key-vault/db`

use std::error::Error;
use std::time::Duration;

use vaultlet_host::{Vaultlet, wave_text};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(reference)) = (arguments.next(), arguments.next()) else {
        return Err("usage: plugin <component.wasm> akv://<vault>/<name>".into());
    };

    let vaultlet = Vaultlet::builder().open()?;
    let plugin = vaultlet
        .plugin(std::fs::read(path)?)
        .grant(&reference)
        .memory(16 << 20)
        .timeout(Duration::from_secs(5))
        .on_output(|line| eprintln!("plugin: {line}"))
        .open()?;
    // A function `describe: func(reference: string) -> result<string, …>`, called as text.
    let result = plugin.call_blocking(&format!("describe({})", wave_text(&reference)))?;
    println!("{}", *result);
    Ok(())
}
