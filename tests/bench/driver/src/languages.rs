//! Peers in other languages: Microsoft's SDK and ours by the same program, each installed alone in a
//! folder of its own. Ours are the packages that `host/package` makes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::{
    peers::Id,
    prepare::{nice, run},
};

/// What has the SDK's and what has our way to the same secret.
pub(crate) const PAIRS: [(&str, Option<Id>, Id); 6] = [
    ("Rust", Some(Id::Sdk), Id::HostBlocking),
    ("C", None, Id::COurs),
    ("Python", Some(Id::Python), Id::PythonOurs),
    ("Node", Some(Id::Node), Id::NodeOurs),
    ("Go", Some(Id::Go), Id::GoOurs),
    ("Java", Some(Id::Java), Id::JavaOurs),
];

fn folder(id: Id, root: &Path) -> PathBuf {
    root.join("target/peers").join(format!("bench-{id}"))
}

/// What to start, without the task.
pub(crate) fn command(id: Id, root: &Path) -> Vec<String> {
    let (bench, folder) = (root.join("tests/bench"), folder(id, root));
    let path = |path: PathBuf| path.to_string_lossy().into_owned();
    let client = if id.is_ours() { "ours" } else { "sdk" };
    match id {
        Id::Python | Id::PythonOurs => {
            vec![path(folder.join("bin/python")), path(bench.join("python/peer.py")), client.into()]
        }
        Id::Node | Id::NodeOurs => {
            vec!["node".into(), path(folder.join("peer.mjs")), client.into()]
        }
        Id::Java | Id::JavaOurs => {
            // As a job would be started: what is compiled at start is not worth it.
            let jars = path(folder.join("jars/*"));
            let classes = path(folder.join("classes"));
            let class_path = format!("{classes}:{jars}");
            vec!["java".into(), "-cp".into(), class_path, "Peer".into(), client.into()]
        }
        _ => vec![path(folder.join("peer"))],
    }
}

/// The folder whose size is the peer's; none where it is the program's own.
pub(crate) fn installed(id: Id, root: &Path) -> Option<PathBuf> {
    let folder = folder(id, root);
    match id {
        Id::Python | Id::PythonOurs => Some(folder.join("lib")),
        Id::Node | Id::NodeOurs => Some(folder.join("node_modules")),
        Id::Java | Id::JavaOurs => Some(folder.join("jars")),
        Id::COurs => Some(folder.join("lib")),
        _ => None,
    }
}

/// How many packages came with it, itself included.
pub(crate) fn packages(id: Id, root: &Path) -> Result<Option<usize>> {
    let entries = |folder: PathBuf, wanted: &dyn Fn(&Path) -> bool| -> Result<usize> {
        let mut found = 0;
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            found += usize::from(wanted(&entry?.path()));
        }
        Ok(found)
    };
    let folder = folder(id, root);
    Ok(Some(match id {
        Id::Python | Id::PythonOurs => {
            let lib = fs::read_dir(folder.join("lib"))?.next().context("no lib")??.path();
            entries(lib.join("site-packages"), &|path| {
                path.extension().is_some_and(|end| end == "dist-info") && !is_installer(path)
            })?
        }
        Id::Node | Id::NodeOurs => {
            let list = fs::read_to_string(folder.join("node_modules/.package-lock.json"))?;
            let list: serde_json::Value = serde_json::from_str(&list)?;
            list["packages"].as_object().map_or(0, serde_json::Map::len)
        }
        Id::Java | Id::JavaOurs => entries(folder.join("jars"), &|_| true)?,
        Id::Go | Id::GoOurs => {
            let program = folder.join("peer");
            let output = Command::new("go").args(["version", "-m"]).arg(program).output()?;
            let text = String::from_utf8(output.stdout)?;
            text.lines().filter(|line| line.trim_start().starts_with("dep\t")).count()
        }
        Id::COurs => 1,
        _ => return Ok(None),
    }))
}

/// Installs it, unless the same is there.
pub(crate) fn prepare(root: &Path, id: Id) -> Result<()> {
    let (bench, folder) = (root.join("tests/bench"), folder(id, root));
    let packages = root.join("target/packages");
    if id.is_ours() {
        // Once for all languages: what is made is looked at, not when.
        run(nice("bash").arg(root.join("host/package")).stdin(Stdio::null()))?;
    }
    let script = |name: &str| bench.join(name);
    let mut stamped = Stamp::new(&folder);
    match id {
        Id::Python | Id::PythonOurs => {
            let requirements = script("python/requirements.txt");
            let wheel = id.is_ours().then(|| one_in(&packages.join("python"))).transpose()?;
            let what = wheel.as_deref().unwrap_or(&requirements);
            stamped.by(what)?.renew(|| {
                run(nice("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
                let mut pip = nice(folder.join("bin/python"));
                pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
                if !id.is_ours() {
                    pip.arg("--requirement");
                }
                run(pip.arg(what))
            })
        }
        Id::Node | Id::NodeOurs => {
            let manifest = root.join("tests/peers/node/package.json");
            let lock = root.join("tests/peers/node/package-lock.json");
            let packed = id.is_ours().then(|| one_in(&packages.join("node"))).transpose()?;
            let peer = script("node/peer.mjs");
            stamped.by(packed.as_deref().unwrap_or(&lock))?.by(&peer)?.renew(|| {
                fs::copy(&peer, folder.join("peer.mjs"))?;
                let mut npm = nice("npm");
                npm.current_dir(&folder);
                if let Some(packed) = &packed {
                    fs::write(folder.join("package.json"), "{\"private\":true}")?;
                    npm.arg("install").arg(packed);
                } else {
                    fs::copy(&manifest, folder.join("package.json"))?;
                    fs::copy(&lock, folder.join("package-lock.json"))?;
                    npm.arg("ci");
                }
                npm.args(["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
                run(&mut npm)
            })
        }
        Id::Go | Id::GoOurs => {
            let names =
                ["main.go", if id.is_ours() { "ours.go" } else { "sdk.go" }, "go.mod", "go.sum"];
            let names = &names[..if id.is_ours() { 2 } else { 4 }];
            for name in names {
                stamped.by(&script(&format!("go/{name}")))?;
            }
            let proxy = packages.join("go");
            if id.is_ours() {
                stamped.by(&packages.join("SHA256SUMS"))?;
            }
            stamped.renew(|| {
                for name in names {
                    fs::copy(script(&format!("go/{name}")), folder.join(name))?;
                }
                let mut build = nice("sh");
                build.current_dir(&folder).env("GOTOOLCHAIN", "local").env("CGO_ENABLED", "0");
                build.env("GOFLAGS", "-mod=mod -modcacherw").env("GOCACHE", root.join("target/peers/go-cache"));
                build.args(["-c", if id.is_ours() {
                    "go mod init peer && go get vaultlet.dev/go@latest && go build -trimpath -ldflags='-s -w' -o peer ."
                } else {
                    "go build -tags sdk -trimpath -ldflags='-s -w' -o peer ."
                }]);
                if id.is_ours() {
                    // Of this very build: another one of the same version may be kept elsewhere.
                    let others = std::env::var("GOPROXY").or_else(|_| {
                        let said = Command::new("go").args(["env", "GOPROXY"]).output()?;
                        anyhow::Ok(String::from_utf8(said.stdout)?.trim().to_owned())
                    })?;
                    build.env("GOPROXY", format!("file://{},{others}", proxy.display()));
                    build.env("GONOSUMDB", "vaultlet.dev").env("GOMODCACHE", folder.join("modules"));
                } else {
                    build.env("GOMODCACHE", root.join("target/peers/go-modules"));
                }
                run(&mut build)
            })
        }
        Id::Java | Id::JavaOurs => java(root, id, &folder, stamped),
        _ => {
            let source = script("c/peer.c");
            let tarball = one_in(&packages.join("c"))?;
            stamped.by(&source)?.by(&tarball)?.renew(|| {
                let mut make = nice("sh");
                make.current_dir(&folder).env("SOURCE", &source).env("TARBALL", &tarball).args([
                    "-c",
                    "mkdir -p lib unpacked && tar -xzf \"$TARBALL\" -C unpacked --strip-components=1 \
                     && cp unpacked/lib/libvaultlet.so.1 lib/ && cc -O2 -I unpacked/include \"$SOURCE\" -o peer \
                     lib/libvaultlet.so.1 -pthread -Wl,-rpath,\"$PWD/lib\"",
                ]);
                run(&mut make)
            })
        }
    }
}

fn java(root: &Path, id: Id, folder: &Path, mut stamped: Stamp) -> Result<()> {
    let sources = root.join("tests/bench/java");
    let client = if id.is_ours() { "Ours" } else { "Sdk" };
    let own = root.join("tests/bench/java").join(if id.is_ours() { "ours.xml" } else { "" });
    let pom = if id.is_ours() { own } else { root.join("tests/peers/java/pom.xml") };
    let packages = root.join("target/packages/java");
    stamped.by(&pom)?.by(&sources.join("Peer.java"))?.by(&sources.join(format!("{client}.java")))?;
    if id.is_ours() {
        stamped.by(&one_in(&packages)?)?;
    }
    stamped.renew(|| {
        let jars = folder.join("jars");
        fs::create_dir_all(&jars)?;
        run(nice("mvn")
            .args(["--quiet", "--batch-mode", "--file"])
            .arg(&pom)
            .arg(format!(
                "-Dmaven.repo.local={}",
                root.join("target/peers/java-repository").display()
            ))
            .arg(format!("-DoutputDirectory={}", jars.display()))
            .arg("org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"))?;
        if id.is_ours() {
            let jar = one_in(&packages)?;
            fs::copy(&jar, jars.join(jar.file_name().context("a jar")?))?;
        }
        // The one class would not compile without the other's libraries.
        let other = if id.is_ours() { "Sdk" } else { "Ours" };
        let missing = folder.join(format!("{other}.java"));
        fs::write(
            &missing,
            format!(
                "class {other} implements Peer.Client {{ public String get(String name) {{ \
             throw new UnsupportedOperationException(); }} }}\n"
            ),
        )?;
        run(nice("javac")
            .arg("-cp")
            .arg(jars.join("*"))
            .arg("-d")
            .arg(folder.join("classes"))
            .arg(sources.join("Peer.java"))
            .arg(sources.join(format!("{client}.java")))
            .arg(missing))
    })
}

/// What a folder was made of, so that it is made again only when that has changed.
struct Stamp {
    folder: PathBuf,
    wanted: Vec<u8>,
}

impl Stamp {
    fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), wanted: Vec::new() }
    }

    fn by(&mut self, file: &Path) -> Result<&mut Self> {
        let bytes = fs::read(file).with_context(|| file.display().to_string())?;
        self.wanted.extend(bytes);
        Ok(self)
    }

    fn renew(&self, make: impl FnOnce() -> Result<()>) -> Result<()> {
        let stamp = self.folder.join("stamp");
        if fs::read(&stamp).is_ok_and(|found| found == self.wanted) {
            return Ok(());
        }
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        fs::create_dir_all(&self.folder)?;
        make()?;
        Ok(fs::write(stamp, &self.wanted)?)
    }
}

/// The only file of a folder.
fn one_in(folder: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|path| path.is_file());
    ensure!(files.len() == 1, "{} has {} files", folder.display(), files.len());
    files.pop().context("no file")
}

/// The packages' files, without the installers that every virtual environment has.
pub(crate) fn bytes_in(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.path().symlink_metadata()?;
        if is_installer(&entry.path()) {
            continue;
        }
        bytes += if metadata.is_dir() { bytes_in(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

fn is_installer(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ["pip", "setuptools", "pkg_resources", "_distutils_hack"]
        .iter()
        .any(|i| name == *i || name.starts_with(&format!("{i}-")))
}
