//! Go: one program for each peer, without cgo.

use std::{env, fs, process::Command};

use anyhow::Result;

use super::{Language, Peer, Stamp, text};
use crate::prepare::{nice, run};

const BUILD: &str = "go build -trimpath -ldflags='-s -w' -o peer";

pub(super) struct Go;

impl Language for Go {
    fn part(&self) -> &'static str {
        "go"
    }

    fn command(&self, peer: &Peer<'_>) -> Vec<String> {
        vec![text(peer.folder.join("peer"))]
    }

    fn installed(&self) -> Option<&'static str> {
        None
    }

    fn packages(&self, peer: &Peer<'_>) -> Result<usize> {
        let program = peer.folder.join("peer");
        let output = Command::new("go").args(["version", "-m"]).arg(program).output()?;
        let text = String::from_utf8(output.stdout)?;
        Ok(text.lines().filter(|line| line.trim_start().starts_with("dep\t")).count())
    }

    fn prepare(&self, peer: &Peer<'_>, mut stamp: Stamp) -> Result<()> {
        let names: &[&str] = if peer.ours {
            &["main.go", "ours.go"]
        } else {
            &["main.go", "sdk.go", "go.mod", "go.sum"]
        };
        for name in names {
            stamp = stamp.by(&peer.source(&format!("go/{name}")))?;
        }
        if peer.ours {
            stamp = stamp.by(&peer.package("SHA256SUMS"))?;
        }
        stamp.renew(|| {
            for name in names {
                fs::copy(peer.source(&format!("go/{name}")), peer.folder.join(name))?;
            }
            let mut build = nice("sh");
            build.current_dir(&peer.folder).env("GOTOOLCHAIN", "local").env("CGO_ENABLED", "0");
            build.env("GOFLAGS", "-mod=mod -modcacherw").env("GOCACHE", peer.cache("go-cache"));
            build.arg("-c");
            if peer.ours {
                build
                    .arg(format!("go mod init peer && go get vaultlet.dev/go@latest && {BUILD} ."));
                // The module of this build: another cache may hold an older build of the same version.
                let proxy = format!("file://{},{}", peer.package("go").display(), proxies()?);
                build.env("GOPROXY", proxy).env("GONOSUMDB", "vaultlet.dev");
                build.env("GOMODCACHE", peer.folder.join("modules"));
            } else {
                build.arg(format!("{BUILD} -tags sdk ."));
                build.env("GOMODCACHE", peer.cache("go-modules"));
            }
            run(&mut build)
        })
    }
}

/// The proxies for third-party modules.
fn proxies() -> Result<String> {
    if let Ok(proxies) = env::var("GOPROXY") {
        return Ok(proxies);
    }
    let said = Command::new("go").args(["env", "GOPROXY"]).output()?;
    Ok(String::from_utf8(said.stdout)?.trim().to_owned())
}
