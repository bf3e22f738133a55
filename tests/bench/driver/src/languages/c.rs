//! C: a program that links the library of the tarball. Microsoft has no SDK to compare it with.

use anyhow::Result;

use super::{Language, Peer, Stamp, files::one_in, text};
use crate::prepare::{nice, run};

const BUILD: &str = "mkdir -p lib unpacked \
    && tar -xzf \"$TARBALL\" -C unpacked --strip-components=1 \
    && cp unpacked/lib/libvaultlet.so.1 lib/ \
    && cc -O2 -I unpacked/include \"$SOURCE\" -o peer lib/libvaultlet.so.1 -pthread -Wl,-rpath,\"$PWD/lib\"";

pub(super) struct C;

impl Language for C {
    fn part(&self) -> &'static str {
        "c"
    }

    fn command(&self, peer: &Peer<'_>) -> Vec<String> {
        vec![text(peer.folder.join("peer"))]
    }

    fn installed(&self) -> Option<&'static str> {
        Some("lib")
    }

    fn packages(&self, _: &Peer<'_>) -> Result<usize> {
        Ok(1)
    }

    fn prepare(&self, peer: &Peer<'_>, stamp: Stamp) -> Result<()> {
        let (source, tarball) = (peer.source("c/peer.c"), one_in(&peer.package("c"))?);
        stamp.by(&source)?.by(&tarball)?.renew(|| {
            let mut build = nice("sh");
            build.current_dir(&peer.folder).env("SOURCE", &source).env("TARBALL", &tarball);
            run(build.args(["-c", BUILD]))
        })
    }
}
