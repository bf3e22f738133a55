//! Node: a folder with `node_modules` for each peer.

use std::fs;

use anyhow::Result;

use super::{Language, Peer, Stamp, files::one_in, text};
use crate::prepare::{nice, run};

pub(super) struct Node;

impl Language for Node {
    fn part(&self) -> &'static str {
        "node"
    }

    fn command(&self, peer: &Peer<'_>) -> Vec<String> {
        vec!["node".to_owned(), text(peer.folder.join("peer.mjs")), peer.client()]
    }

    fn installed(&self) -> Option<&'static str> {
        Some("node_modules")
    }

    fn packages(&self, peer: &Peer<'_>) -> Result<usize> {
        let list = fs::read_to_string(peer.folder.join("node_modules/.package-lock.json"))?;
        let list: serde_json::Value = serde_json::from_str(&list)?;
        let packages = list.get("packages").and_then(serde_json::Value::as_object);
        Ok(packages.map_or(0, serde_json::Map::len))
    }

    fn prepare(&self, peer: &Peer<'_>, stamp: Stamp) -> Result<()> {
        let program = peer.source("node/peer.mjs");
        let theirs = peer.root.join("tests/peers/node");
        let packed = peer.ours.then(|| one_in(&peer.package("node"))).transpose()?;
        let what = packed.clone().unwrap_or_else(|| theirs.join("package-lock.json"));
        stamp.by(&what)?.by(&program)?.renew(|| {
            fs::copy(&program, peer.folder.join("peer.mjs"))?;
            let mut npm = nice("npm");
            npm.current_dir(&peer.folder);
            if let Some(packed) = &packed {
                fs::write(peer.folder.join("package.json"), "{\"private\":true}")?;
                npm.arg("install").arg(packed);
            } else {
                for name in ["package.json", "package-lock.json"] {
                    fs::copy(theirs.join(name), peer.folder.join(name))?;
                }
                npm.arg("ci");
            }
            npm.args(["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
            run(&mut npm)
        })
    }
}
