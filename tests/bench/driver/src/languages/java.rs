//! Java: the jars and the classes of one program for each peer.

use std::fs;

use anyhow::{Context, Result};

use super::{
    Language, Peer, Stamp,
    files::{count, one_in},
    text,
};
use crate::prepare::{nice, run};

const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

pub(super) struct Java;

impl Language for Java {
    fn part(&self) -> &'static str {
        "java"
    }

    fn command(&self, peer: &Peer<'_>) -> Vec<String> {
        let class_path = format!("{0}/classes:{0}/jars/*", peer.folder.display());
        vec!["java".to_owned(), "-cp".to_owned(), class_path, "Peer".to_owned(), peer.client()]
    }

    fn installed(&self) -> Option<&'static str> {
        Some("jars")
    }

    fn packages(&self, peer: &Peer<'_>) -> Result<usize> {
        count(&peer.folder.join("jars"), |_| true)
    }

    fn prepare(&self, peer: &Peer<'_>, stamp: Stamp) -> Result<()> {
        let (client, other) = if peer.ours { ("Ours", "Sdk") } else { ("Sdk", "Ours") };
        let pom = peer.root.join(if peer.ours {
            "tests/bench/java/ours.xml"
        } else {
            "tests/peers/java/pom.xml"
        });
        let sources = ["Peer", client].map(|name| peer.source(&format!("java/{name}.java")));
        let package = peer.ours.then(|| one_in(&peer.package("java"))).transpose()?;
        let mut stamp = stamp.by(&pom)?;
        for file in sources.iter().chain(&package) {
            stamp = stamp.by(file)?;
        }
        stamp.renew(|| {
            let jars = peer.folder.join("jars");
            fs::create_dir_all(&jars)?;
            let repository = peer.cache("java-repository");
            run(nice("mvn")
                .args(["--quiet", "--batch-mode", "--file"])
                .arg(&pom)
                .arg(format!("-Dmaven.repo.local={}", text(repository)))
                .arg(format!("-DoutputDirectory={}", jars.display()))
                .arg(COPY))?;
            if let Some(jar) = &package {
                fs::copy(jar, jars.join(jar.file_name().context("a jar")?))?;
            }
            // `Peer` names both clients; the other one is a stub, as its libraries are missing.
            let missing = peer.folder.join(format!("{other}.java"));
            let throws = "throw new UnsupportedOperationException();";
            fs::write(
                &missing,
                format!("class {other} implements Peer.Client {{ public String get(String name) {{ {throws} }} }}\n"),
            )?;
            let mut javac = nice("javac");
            javac.arg("-cp").arg(jars.join("*")).arg("-d").arg(peer.folder.join("classes"));
            run(javac.args(&sources).arg(missing))
        })
    }
}
