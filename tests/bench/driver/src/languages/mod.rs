//! Peers in other languages: Microsoft's SDK and ours by the same program, each installed alone in a
//! folder of its own. Ours are the packages that `host/package` makes.

mod c;
mod files;
mod go;
mod java;
mod node;
mod python;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{
    peers::Id,
    prepare::{nice, run},
};
use files::Stamp;

pub(crate) use files::bytes_in;

/// What has the SDK's and what has our way to the same secret.
pub(crate) const PAIRS: [(&str, Option<Id>, Id); 6] = [
    ("Rust", Some(Id::Sdk), Id::HostBlocking),
    ("C", None, Id::COurs),
    ("Python", Some(Id::Python), Id::PythonOurs),
    ("Node", Some(Id::Node), Id::NodeOurs),
    ("Go", Some(Id::Go), Id::GoOurs),
    ("Java", Some(Id::Java), Id::JavaOurs),
];

/// What is known of one language.
trait Language {
    /// As `host/package` calls it, and the folder of its package.
    fn part(&self) -> &'static str;

    /// What to start, without the task.
    fn command(&self, peer: &Peer<'_>) -> Vec<String>;

    /// The folder below the peer's whose size is the peer's; none where it is the program's own.
    fn installed(&self) -> Option<&'static str>;

    /// How many packages came with it, itself included.
    fn packages(&self, peer: &Peer<'_>) -> Result<usize>;

    /// Installs it, unless the same is there.
    fn prepare(&self, peer: &Peer<'_>, stamp: Stamp) -> Result<()>;
}

/// One of a language's two.
struct Peer<'a> {
    root: &'a Path,
    /// Where it is installed.
    folder: PathBuf,
    ours: bool,
}

impl Peer<'_> {
    /// A file of the peers' sources.
    fn source(&self, name: &str) -> PathBuf {
        self.root.join("tests/bench").join(name)
    }

    /// Where `host/package` puts a language's package.
    fn package(&self, part: &str) -> PathBuf {
        self.root.join("target/packages").join(part)
    }

    /// Where things are kept that are the same for all.
    fn cache(&self, name: &str) -> PathBuf {
        self.root.join("target/peers").join(name)
    }

    fn client(&self) -> String {
        if self.ours { "ours" } else { "sdk" }.to_owned()
    }
}

fn text(path: PathBuf) -> String {
    path.to_string_lossy().into_owned()
}

/// Of which language it is; none, where it is a program of Rust.
fn language(id: Id) -> Option<&'static dyn Language> {
    Some(match id {
        Id::Python | Id::PythonOurs => &python::Python,
        Id::Node | Id::NodeOurs => &node::Node,
        Id::Go | Id::GoOurs => &go::Go,
        Id::Java | Id::JavaOurs => &java::Java,
        Id::COurs => &c::C,
        Id::Raw | Id::Vaultlet | Id::HostBlocking | Id::HostAsync | Id::Sdk => return None,
    })
}

fn peer(id: Id, root: &Path) -> Peer<'_> {
    let folder = root.join("target/peers").join(format!("bench-{id}"));
    Peer { root, folder, ours: id.is_ours() }
}

/// What to start, without the task.
pub(crate) fn command(id: Id, root: &Path) -> Vec<String> {
    language(id).map(|language| language.command(&peer(id, root))).unwrap_or_default()
}

/// The folder whose size is the peer's; none where it is the program's own.
pub(crate) fn installed(id: Id, root: &Path) -> Option<PathBuf> {
    Some(peer(id, root).folder.join(language(id)?.installed()?))
}

/// How many packages came with it, itself included.
pub(crate) fn packages(id: Id, root: &Path) -> Result<Option<usize>> {
    language(id).map(|language| language.packages(&peer(id, root))).transpose()
}

/// Makes the packages of those languages that are asked for.
pub(crate) fn package(root: &Path, ids: &[Id]) -> Result<()> {
    let ours = ids.iter().filter(|id| id.is_ours());
    let parts: Vec<_> = ours.filter_map(|id| Some(language(*id)?.part())).collect();
    if parts.is_empty() {
        return Ok(());
    }
    run(nice("bash").arg(root.join("host/package")).args(["--only", &parts.join(",")]))
}

/// Installs it, unless the same is there.
pub(crate) fn prepare(root: &Path, id: Id) -> Result<()> {
    let peer = peer(id, root);
    let stamp = Stamp::new(&peer.folder);
    language(id).with_context(|| format!("`{id}` is of no language"))?.prepare(&peer, stamp)
}
