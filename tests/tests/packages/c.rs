//! The C tarball: its shared and static library, found by pkg-config and by CMake, and its program.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use vaultlet_tests::job::{VALUE, in_dev};
use vaultlet_tests::{root, succeeds};

use super::{VERSION, check_example, only, part, prints_it};

const PROJECT: &str = "cmake_minimum_required(VERSION 3.18)
project(job LANGUAGES C CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(vaultlet 0.1 REQUIRED)
add_executable(shared ${EXAMPLES}/job.cpp)
target_link_libraries(shared PRIVATE vaultlet::vaultlet)
add_executable(static ${EXAMPLES}/job.c)
target_link_libraries(static PRIVATE vaultlet::static)
";

#[test]
fn the_tarball_is_found_by_pkg_config() {
    let Some((folder, prefix)) = unpacked() else { return };
    let config = |arguments: &[&str]| -> Vec<String> {
        let said = succeeds(
            Command::new("pkg-config")
                .args(arguments)
                .arg("vaultlet")
                .env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")),
        );
        said.stdout.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(config(&["--modversion"]), [VERSION]);
    let (job, library) = (folder.path().join("job"), prefix.join("lib"));
    let compiled = |libraries: &[String]| {
        succeeds(
            Command::new("cc")
                .args(config(&["--cflags"]))
                .arg(root().join("host/ffi/examples/job.c"))
                .args(libraries)
                .arg("-o")
                .arg(&job),
        );
    };
    compiled(&config(&["--libs"]));
    check_example(&[job.as_os_str()], &[("LD_LIBRARY_PATH", library.as_os_str())], prints_it);

    // Without the shared library, the linker takes the static one.
    for file in std::fs::read_dir(&library).unwrap().map(|entry| entry.unwrap().path()) {
        if file.to_string_lossy().contains(".so") {
            std::fs::remove_file(file).unwrap();
        }
    }
    compiled(&config(&["--libs", "--static"]));
    check_example(&[job.as_os_str()], &[], prints_it);
}

#[test]
fn the_tarball_is_found_by_cmake() {
    let Some((folder, prefix)) = unpacked() else { return };
    let project = folder.path().join("project");
    std::fs::create_dir(&project).unwrap();
    std::fs::write(project.join("CMakeLists.txt"), PROJECT).unwrap();
    let build = project.join("build");
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(&project).arg("-B").arg(&build);
    configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()));
    configure.arg(format!("-DEXAMPLES={}", root().join("host/ffi/examples").display()));
    succeeds(&mut configure);
    succeeds(Command::new("cmake").arg("--build").arg(&build));
    for name in ["shared", "static"] {
        check_example(&[build.join(name).as_os_str()], &[], prints_it);
    }
}

#[test]
fn the_tarball_has_the_program_the_component_and_their_documents() {
    let Some((_folder, prefix)) = unpacked() else { return };
    let program = prefix.join("bin/vaultlet");
    let get = [program.as_os_str(), "get".as_ref(), "akv://my-key-vault/db-password".as_ref()];
    let ended = in_dev(&[], &get, &[]);
    assert_eq!((ended.stdout.trim_end(), ended.code), (VALUE, 0), "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE], false);
    let result = succeeds(Command::new(program).arg("--version")).stdout;
    assert!(result.contains(VERSION), "{result}");
    for name in [
        "include/vaultlet.h",
        "include/vaultlet.hpp",
        "share/vaultlet/vaultlet.wasm",
        "share/vaultlet/wit/secrets.wit",
        "share/doc/vaultlet/LICENSE",
        "share/doc/vaultlet/THIRD-PARTY.txt",
        "share/doc/vaultlet/libvaultlet.so.cdx.json",
        "share/doc/vaultlet/vaultlet.cdx.json",
    ] {
        assert!(not_empty(&prefix.join(name)), "{name}");
    }
}

#[test]
fn the_pages_of_the_tarball_link_only_to_each_other_and_to_the_web() {
    let Some((_folder, prefix)) = unpacked() else { return };
    let pages = prefix.join("share/doc/vaultlet");
    let mut followed = 0;
    for page in PAGES {
        let text = std::fs::read_to_string(pages.join(page)).unwrap();
        for rest in text.split("](").skip(1) {
            let link = rest.split([')', '#']).next().unwrap();
            if !link.is_empty() && !link.contains(':') {
                assert!(not_empty(&pages.join(link)), "{page}: {link}");
                followed += 1;
            }
        }
    }
    assert!(followed >= 4, "{followed} links");
}

/// The pages of the tarball.
const PAGES: [&str; 11] = [
    "README.md",
    "agent.md",
    "c.md",
    "cli.md",
    "errors.md",
    "from-other-tools.md",
    "install.md",
    "jobs.md",
    "nodes.md",
    "traces.md",
    "windows.md",
];

fn not_empty(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|file| file.len() > 0)
}

/// Unpacks the tarball into a temporary folder.
pub(super) fn unpacked() -> Option<(TempDir, PathBuf)> {
    let tarball = only(&part("c")?, ".tar.gz");
    let folder = TempDir::new().unwrap();
    let prefix = folder.path().join("prefix");
    std::fs::create_dir(&prefix).unwrap();
    succeeds(
        Command::new("tar")
            .arg("-xzf")
            .arg(tarball)
            .arg("-C")
            .arg(&prefix)
            .arg("--strip-components=1"),
    );
    Some((folder, prefix))
}
