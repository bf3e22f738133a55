//! Peers in other languages: Microsoft's SDK and vaultlet's package, used by the same program and installed
//! in separate folders. `host/package` makes vaultlet's packages.

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

/// The languages, each with the peer that uses Microsoft's SDK and the one that uses vaultlet.
pub(crate) const PAIRS: [(&str, Option<Id>, Id); 6] = [
    ("Rust", Some(Id::Sdk), Id::HostBlocking),
    ("C", None, Id::COurs),
    ("Python", Some(Id::Python), Id::PythonOurs),
    ("Node", Some(Id::Node), Id::NodeOurs),
    ("Go", Some(Id::Go), Id::GoOurs),
    ("Java", Some(Id::Java), Id::JavaOurs),
];

/// How the peers of one language are installed and started.
trait Language {
    /// The name of the language's part in `host/package`, and of the part's folder.
    fn part(&self) -> &'static str;

    /// The command of a peer, without the task.
    fn command(&self, peer: &Peer<'_>) -> Vec<String>;

    /// The subfolder whose size is the size of the peer; `None` if it is the size of the program.
    fn installed(&self) -> Option<&'static str>;

    /// The number of installed packages, including the peer's own.
    fn packages(&self, peer: &Peer<'_>) -> Result<usize>;

    /// Installs a peer, unless it is up to date.
    fn prepare(&self, peer: &Peer<'_>, stamp: Stamp) -> Result<()>;
}

/// One of the two peers of a language.
struct Peer<'a> {
    root: &'a Path,
    /// The folder in which the peer is installed.
    folder: PathBuf,
    ours: bool,
}

impl Peer<'_> {
    /// A file in the sources of the peers.
    fn source(&self, name: &str) -> PathBuf {
        self.root.join("tests/bench").join(name)
    }

    /// The folder of a part that `host/package` made.
    fn package(&self, part: &str) -> PathBuf {
        self.root.join("target/packages").join(part)
    }

    /// A cache that all peers share.
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

/// The language of a peer; `None` for Rust.
fn language(id: Id) -> Option<&'static dyn Language> {
    Some(match id {
        Id::Python | Id::PythonOurs => &python::Python,
        Id::Node | Id::NodeOurs => &node::Node,
        Id::Go | Id::GoOurs => &go::Go,
        Id::Java | Id::JavaOurs => &java::Java,
        Id::COurs => &c::C,
        Id::Raw | Id::Vaultlet | Id::VaultletStatic | Id::Run | Id::Bare => return None,
        Id::HostBlocking | Id::HostAsync | Id::Sdk => return None,
    })
}

fn peer(id: Id, root: &Path) -> Peer<'_> {
    let folder = root.join("target/peers").join(format!("bench-{id}"));
    Peer { root, folder, ours: id.is_ours() }
}

/// The command of a peer, without the task.
pub(crate) fn command(id: Id, root: &Path) -> Vec<String> {
    language(id).map(|language| language.command(&peer(id, root))).unwrap_or_default()
}

/// The folder whose size is the size of the peer; `None` if it is the size of the program.
pub(crate) fn installed(id: Id, root: &Path) -> Option<PathBuf> {
    Some(peer(id, root).folder.join(language(id)?.installed()?))
}

/// The number of packages that are installed for a peer, including its own.
pub(crate) fn packages(id: Id, root: &Path) -> Result<Option<usize>> {
    language(id).map(|language| language.packages(&peer(id, root))).transpose()
}

/// Makes vaultlet's packages for the languages of these peers.
pub(crate) fn package(root: &Path, ids: &[Id]) -> Result<()> {
    let ours = ids.iter().filter(|id| id.is_ours());
    let parts: Vec<_> = ours.filter_map(|id| Some(language(*id)?.part())).collect();
    if parts.is_empty() {
        return Ok(());
    }
    run(nice("bash").arg(root.join("host/package")).args(["--only", &parts.join(",")]))
}

/// Installs a peer, unless it is up to date.
pub(crate) fn prepare(root: &Path, id: Id) -> Result<()> {
    let peer = peer(id, root);
    let stamp = Stamp::new(&peer.folder);
    language(id).with_context(|| format!("`{id}` is of no language"))?.prepare(&peer, stamp)
}
