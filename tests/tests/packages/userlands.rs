//! Old and small user lands, each in a folder: the packages are installed there, and get their first secret inside `vaultlet
//! dev`, which is the program of the wheel. Only with `VAULTLET_TEST_FULL=1`, as root, with `debootstrap`: it takes minutes, and
//! 1 GB of `target/peers`.
//!
//! | user land | is as old as |
//! |---|---|
//! | Debian 11, glibc 2.31 | Ubuntu 20.04, which the images of Azure ML have |
//! | Debian 13, glibc 2.41 | today |
//! | musl 1.2.5 and nothing else | Alpine 3.20 |

use std::path::{Path, PathBuf};
use std::process::Command;

use vaultlet_tests::job::VALUE;
use vaultlet_tests::sandbox::{in_namespace, skipped};
use vaultlet_tests::{Ended, Run, succeeds, target};

use super::{full, packages};

/// Prints what C library it sees, then whether the secret is right.
const JOB: &str = "import os, vaultlet; print(os.confstr('CS_GNU_LIBC_VERSION')); \
    print(len(vaultlet.get('akv://my-key-vault/db-password').reveal()))";
pub(super) const NODE_JOB: &str = "const { get } = require('vaultlet'); \
    console.log(process.report.getReport().header.glibcVersionRuntime ?? 'musl'); \
    get('akv://my-key-vault/db-password').then((it) => console.log(it.reveal().length));";

#[test]
fn debian_11() {
    let Some(debian) = debian("bullseye", "python3,python3-pip,pypy3") else { return };
    let expected = format!("glibc 2.31\n{}\n", VALUE.len());
    pip(&debian, "python3");
    prints(&debian, &["vaultlet"], &["python3", "-c", JOB], &expected);
    // Its PyPy is a Python 3.7: the program without the module.
    inside(&debian, &["python3", "-m", "pip", "-q", "uninstall", "-y", "vaultlet"]);
    assert!(!debian.join("usr/local/bin/vaultlet").exists());
    pip(&debian, "pypy3");
    let get = ["get", "akv://my-key-vault/db-password"];
    let module = [&["pypy3", "-m", "vaultlet"], &get[..]].concat();
    prints(&debian, &["vaultlet"], &module, VALUE);
    let said = inside(&debian, &["pypy3", "-c", "import vaultlet; vaultlet.get('akv://v/n')"]);
    let why = "the module needs CPython 3.9 or later, with its lock, and this is pypy 3.7";
    assert!(said.stderr.contains(why), "{}", said.stderr);

    node(&debian, "glibc", &which("node"));
    prints(
        &debian,
        &["/packages-program"],
        &["/node/node", "-e", NODE_JOB],
        expected.trim_start_matches("glibc "),
    );
}

#[test]
fn debian_13() {
    let Some(debian) = debian("trixie", "python3,python3-pip,musl") else { return };
    pip(&debian, "python3");
    let expected = format!("glibc 2.41\n{}\n", VALUE.len());
    prints(&debian, &["vaultlet"], &["python3", "-c", JOB], &expected);
}

/// A user land of Debian; `None` if it is not to be made here.
pub(super) fn debian(release: &str, packages: &str) -> Option<PathBuf> {
    if !full() {
        return None;
    }
    if Command::new("debootstrap").arg("--version").output().is_err() {
        skipped("user lands", "`debootstrap` is not installed");
        return None;
    }
    let folder = target().join("peers/userlands");
    std::fs::create_dir_all(&folder).unwrap();
    let lock = std::fs::File::create(folder.join(format!("{release}.lock"))).unwrap();
    lock.lock().unwrap();
    let (place, stamp) = (folder.join(release), folder.join(format!("{release}.stamp")));
    if !std::fs::read_to_string(&stamp).is_ok_and(|made| made == packages) {
        let _ = std::fs::remove_dir_all(&place);
        let mut make = Command::new("debootstrap");
        make.args(["--variant=minbase", &format!("--include={packages}"), release]).arg(&place);
        succeeds(&mut make);
        std::fs::create_dir_all(place.join("packages")).unwrap();
        std::fs::write(stamp, packages).unwrap();
    }
    Some(place)
}

/// Installs the wheel that pip chooses.
fn pip(image: &Path, python: &str) {
    let pip =
        [python, "-m", "pip", "install", "-q", "--no-index", "--find-links", "/packages/python"];
    let more: &[&str] =
        if image.ends_with("bullseye") { &[] } else { &["--break-system-packages"] };
    let ended = inside(image, &[&pip[..], more, &["--force-reinstall", "vaultlet"]].concat());
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
}

/// Puts Node.js and what npm installs for a C library into an image.
pub(super) fn node(image: &Path, libc: &str, program: &Path) {
    let folder = image.join("node");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("package.json"), "{}").unwrap();
    let tarballs = super::modules::tarballs(&packages().join("node"));
    super::modules::install(&tarballs, &folder, &[&format!("--libc={libc}")]);
    std::fs::copy(program, folder.join("node")).unwrap();
    let (_folder, prefix) = super::c::unpacked().unwrap();
    std::fs::copy(prefix.join("bin/vaultlet"), image.join("packages-program")).unwrap();
}

/// Runs a job inside `vaultlet dev`, both in the image, and compares what it prints.
#[track_caller]
pub(super) fn prints(image: &Path, program: &[&str], job: &[&str], expected: &str) {
    let seed = format!("--seed=db-password={VALUE}");
    let dev = [program, &["dev", "--vault", "my-key-vault", &seed, "--"]].concat();
    let ended = inside(image, &[&dev[..], job].concat());
    assert_eq!((ended.stdout.as_str(), ended.code), (expected, 0), "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE], true);
}

/// Runs a program in an image, with the packages at `/packages`.
pub(super) fn inside(image: &Path, program: &[&str]) -> Ended {
    let mut setup = "ip link set lo up".to_owned();
    for (from, to) in
        [(Path::new("/dev"), "dev"), (Path::new("/proc"), "proc"), (packages(), "packages")]
    {
        setup += &format!("; mount --rbind '{}' '{}'", from.display(), image.join(to).display());
    }
    let chroot = ["chroot".as_ref(), image.as_os_str()];
    let program = chroot.into_iter().chain(program.iter().map(std::ffi::OsStr::new));
    let (unshare, arguments) = in_namespace(&setup, program).unwrap();
    Run::program(unshare)
        .arguments(arguments)
        .environment([("NODE_PATH", "/node/node_modules"), ("PYTHONPATH", "/modules")])
        .environment([("HOME", "/tmp")])
        .end()
}

fn which(program: &str) -> PathBuf {
    let found = succeeds(Command::new("sh").args(["-c", "command -v \"$0\""]).arg(program)).stdout;
    std::fs::canonicalize(found.trim_end()).unwrap()
}
