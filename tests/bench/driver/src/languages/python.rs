//! Python: a virtual environment for each peer.

use std::fs;

use anyhow::{Context, Result};

use super::{
    Language, Peer, Stamp,
    files::{count, is_installer, one_in},
    text,
};
use crate::prepare::{nice, run};

pub(super) struct Python;

impl Language for Python {
    fn part(&self) -> &'static str {
        "python"
    }

    fn command(&self, peer: &Peer<'_>) -> Vec<String> {
        let python = text(peer.folder.join("bin/python"));
        vec![python, text(peer.source("python/peer.py")), peer.client()]
    }

    fn installed(&self) -> Option<&'static str> {
        Some("lib")
    }

    fn packages(&self, peer: &Peer<'_>) -> Result<usize> {
        let lib = fs::read_dir(peer.folder.join("lib"))?.next().context("no lib")??.path();
        count(&lib.join("site-packages"), |path| {
            path.extension().is_some_and(|end| end == "dist-info") && !is_installer(path)
        })
    }

    fn prepare(&self, peer: &Peer<'_>, stamp: Stamp) -> Result<()> {
        let what = if peer.ours {
            one_in(&peer.package("python"))?
        } else {
            peer.source("python/requirements.txt")
        };
        stamp.by(&what)?.renew(|| {
            run(nice("python3").args(["-m", "venv", "--clear"]).arg(&peer.folder))?;
            let mut pip = nice(peer.folder.join("bin/python"));
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            if !peer.ours {
                pip.arg("--requirement");
            }
            run(pip.arg(what))
        })
    }
}
