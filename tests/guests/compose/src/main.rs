//! A copy of `wac plug`: `compose SOCKET PLUG OUTPUT` connects the imports of the first component to the
//! exports of the second and writes both as one component.

use std::error::Error;

use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, plug};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [socket, with, output] = arguments.as_slice() else {
        return Err("usage: compose SOCKET PLUG OUTPUT".into());
    };
    let mut graph = CompositionGraph::new();
    let read = |graph: &mut CompositionGraph, name: &str, file: &str| {
        let package = Package::from_file(name, None, file, graph.types_mut())?;
        Ok::<_, Box<dyn Error>>(graph.register_package(package)?)
    };
    let socket = read(&mut graph, "socket", socket)?;
    let with = read(&mut graph, "plug", with)?;
    plug(&mut graph, vec![with], socket)?;
    std::fs::write(output, graph.encode(EncodeOptions::default())?)?;
    Ok(())
}
