//! The libraries in the packages are loaded on older systems than the one that built them: each needs no newer glibc than is
//! promised, and no other library.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use vaultlet_tests::elf::Elf;
use vaultlet_tests::job::{VALUE, in_dev};
use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{builds, root, succeeds};

use super::{full, packages};

/// The oldest glibc that is promised: see host/packaging/library.
const GLIBC: (u32, u32) = (2, 17);

/// What belongs to glibc, on both processors.
const OF_GLIBC: [&str; 7] = [
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
];

#[test]
fn libraries_need_no_newer_glibc_than_is_promised() {
    let (mut libraries, mut programs) = (0, 0);
    let folder = TempDir::new().unwrap();
    for (at, archive) in archives(packages()).into_iter().enumerate() {
        let unpacked = folder.path().join(at.to_string());
        unpack(&archive, &unpacked);
        for file in files(&unpacked) {
            let bytes = std::fs::read(&file).unwrap();
            if !bytes.starts_with(b"\x7fELF") {
                continue;
            }
            let elf = Elf::parse(&bytes).unwrap();
            let place = format!("{} in {}", file.display(), archive.display());
            if file.file_name().unwrap() == "vaultlet" {
                assert!(elf.libraries.is_empty() && elf.symbols.is_empty(), "{place}: {elf:?}");
                programs += 1;
            } else {
                assert_eq!(objection(&elf), None, "{place}");
                libraries += 1;
            }
        }
    }
    let made = packages().join("node").exists();
    assert!(libraries > 0 && programs > 0 && (!made || libraries >= 3), "{libraries}, {programs}");
}

/// These tests are linked against the glibc of this machine.
#[test]
fn a_newer_glibc_than_is_promised_is_refused() {
    let tests = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let elf = Elf::parse(&tests).unwrap();
    let objection = objection(&elf).unwrap();
    assert!(objection.starts_with("it needs glibc 2.") && elf.glibc() > Some(GLIBC), "{objection}");
}

/// The library of the packages for Go and Java, in an emulator. With `VAULTLET_TEST_FULL=1`, as it is built for minutes.
#[test]
fn the_library_for_aarch64_gets_the_secret() {
    const SYSTEM: &str = "/usr/aarch64-linux-gnu";
    if !full() || cfg!(target_arch = "aarch64") {
        return;
    }
    if !Path::new(SYSTEM).exists()
        || Command::new("qemu-aarch64").arg("--version").output().is_err()
    {
        return skipped("aarch64", "`qemu-aarch64` or `libc6-arm64-cross` is not installed");
    }
    let mut build = Command::new(root().join("host/packaging/library"));
    let library = succeeds(builds(build.args(["ffi", "aarch64-gnu"]))).stdout;
    let library = Path::new(library.trim_end());
    let elf = Elf::parse(&std::fs::read(library).unwrap()).unwrap();
    assert_eq!((elf.machine, objection(&elf)), ("aarch64", None));

    let tools = succeeds(&mut Command::new(root().join("host/packaging/tools"))).stdout;
    let folder = TempDir::new().unwrap();
    let job = folder.path().join("job");
    std::fs::copy(library, folder.path().join("libvaultlet.so.1")).unwrap();
    let mut cc = Command::new(Path::new(tools.trim_end()).join("python"));
    cc.args(["-m", "ziglang", "cc", "-target", "aarch64-linux-gnu.2.17", "-I"]);
    cc.arg(root().join("host/ffi")).arg(root().join("host/ffi/examples/job.c")).arg(library);
    succeeds(cc.arg("-o").arg(&job).env("ZIG_GLOBAL_CACHE_DIR", folder.path().join("zig")));
    let libraries = format!("LD_LIBRARY_PATH={}", folder.path().display());
    let program = ["qemu-aarch64", "-L", SYSTEM, "-E", &libraries, job.to_str().unwrap()];
    let ended = in_dev(&[], &program.map(std::ffi::OsStr::new), &[]);
    assert_eq!((ended.stdout.trim_end(), ended.code), (VALUE, 0), "{}", ended.stderr);
}

/// Why a library cannot be loaded where it is promised to be.
fn objection(elf: &Elf) -> Option<String> {
    if let Some((major, minor)) = elf.glibc().filter(|needed| *needed > GLIBC) {
        return Some(format!("it needs glibc {major}.{minor}: {:?}", elf.versions));
    }
    if let Some(version) = elf.versions.iter().find(|version| !version.starts_with("GLIBC_")) {
        return Some(format!("it needs {version}"));
    }
    // A library for musl needs the one library that musl is, in any version.
    if elf.libraries.iter().eq([&format!("libc.musl-{}.so.1", elf.machine)]) {
        return elf.versions.first().map(|version| format!("it needs {version} of musl"));
    }
    let other = elf.libraries.iter().find(|library| !OF_GLIBC.contains(&library.as_str()));
    other.map(|library| format!("it needs {library}"))
}

/// What is installed by the users of each language.
fn archives(folder: &Path) -> Vec<PathBuf> {
    const ENDS: [&str; 5] = [".tar.gz", ".whl", ".tgz", ".zip", ".jar"];
    let is_one = |path: &PathBuf| ENDS.iter().any(|end| path.to_string_lossy().ends_with(end));
    files(folder).into_iter().filter(is_one).collect()
}

fn unpack(archive: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    let name = archive.to_string_lossy();
    let mut command = if name.ends_with("gz") {
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(archive).arg("-C").arg(to);
        tar
    } else {
        let mut zip = Command::new("python3");
        zip.args(["-m", "zipfile", "-e"]).arg(archive).arg(to);
        zip
    };
    succeeds(command.current_dir(root()));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.is_symlink() {
            found.push(path);
        }
    }
    found
}
