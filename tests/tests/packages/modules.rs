//! The npm tarballs and the Go module.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use vaultlet_tests::job::VALUE;
use vaultlet_tests::{root, succeeds, target};

use super::{VERSION, check_example, part, prints_it};

#[test]
fn the_npm_packages_work_in_an_empty_folder() {
    let Some(packages) = part("node") else { return };
    let folder = TempDir::new().unwrap();
    install(&tarballs(&packages), folder.path(), &[]);
    let package = folder.path().join("node_modules/vaultlet");
    let manifest = std::fs::read(package.join("package.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["version"], VERSION);
    let [addon] = &installed(folder.path())[..] else { panic!("not one addon") };
    assert_eq!(manifest["optionalDependencies"][format!("@vaultlet/{addon}")], VERSION);
    let addon = folder.path().join("node_modules/@vaultlet").join(addon);
    for name in [package.join("LICENSE"), addon.join("LICENSE"), addon.join("THIRD-PARTY.txt")] {
        assert!(name.exists(), "{}", name.display());
    }
    let job = folder.path().join("job.mjs");
    std::fs::copy(root().join("host/node/examples/job.mjs"), &job).unwrap();
    check_example(&["node".as_ref(), job.as_os_str()], &[], |said| {
        said.contains(&format!("of {} characters", VALUE.len())) && !said.contains(VALUE)
    });

    // Without the addon, as after `npm install --omit=optional`, an error names it.
    std::fs::remove_dir_all(addon).unwrap();
    let ended = vaultlet_tests::Run::program("node").arguments([&job]).end();
    assert!(ended.stderr.contains("install @vaultlet/linux-"), "{}", ended.stderr);
}

/// npm is told what machine it is on; the libraries are of no importance here.
#[test]
fn npm_takes_the_addon_of_the_platform() {
    let Some(_) = part("node") else { return };
    let folder = TempDir::new().unwrap();
    let library = folder.path().join("library");
    std::fs::write(&library, "no library").unwrap();
    let platforms =
        ["x64-gnu", "x64-musl", "arm64-gnu", "arm64-musl"].map(|name| format!("linux-{name}"));
    let mut pack = Command::new("node");
    pack.arg(root().join("host/node/pack.mjs")).arg(folder.path());
    pack.args(platforms.iter().map(|name| format!("{name}={}", library.display())));
    let packed = succeeds(&mut pack).stdout;
    let packed: Vec<PathBuf> = packed.lines().map(PathBuf::from).collect();
    assert_eq!(packed.len(), 1 + platforms.len());
    for platform in &platforms {
        let [_, cpu, libc] = platform.split('-').collect::<Vec<_>>()[..] else { panic!() };
        let project = folder.path().join(platform);
        std::fs::create_dir(&project).unwrap();
        let libc = if libc == "gnu" { "glibc" } else { libc };
        let here = ["--os=linux".into(), format!("--cpu={cpu}"), format!("--libc={libc}")];
        install(&packed, &project, &here.each_ref().map(String::as_str));
        assert_eq!(installed(&project), [platform.as_str()]);
    }
}

/// Installs the tarballs as a user does who has their folder, and nothing from elsewhere.
pub(crate) fn install(tarballs: &[PathBuf], project: &Path, options: &[&str]) {
    let npm =
        ["install", "--save-optional", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"];
    std::fs::write(project.join("package.json"), "{}").unwrap();
    succeeds(Command::new("npm").args(npm).args(options).args(tarballs).current_dir(project));
}

/// The addons in a project, by the names of their platforms.
fn installed(project: &Path) -> Vec<String> {
    let addons = std::fs::read_dir(project.join("node_modules/@vaultlet")).unwrap();
    addons.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

pub(crate) fn tarballs(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|end| end == "tgz")).collect()
}

#[test]
fn the_go_module_works_with_an_empty_cache() {
    let Some(proxy) = part("go") else { return };
    let folder = TempDir::new().unwrap();
    let project = folder.path().join("job");
    std::fs::create_dir(&project).unwrap();
    std::fs::copy(root().join("host/go/examples/job/main.go"), project.join("main.go")).unwrap();
    // The modules that it requires, in the layout of a Go module proxy.
    let got = target().join("peers/go-modules");
    succeeds(
        Command::new("go")
            .args(["mod", "download"])
            .current_dir(root().join("host/go"))
            .envs([("GOTOOLCHAIN", "local"), ("GOFLAGS", "-modcacherw"), ("GOWORK", "off")])
            .env("GOMODCACHE", &got),
    );
    let proxies =
        format!("file://{},file://{}", proxy.display(), got.join("cache/download").display());
    let go = |arguments: &[&str]| {
        succeeds(
            Command::new("go")
                .args(arguments)
                .current_dir(&project)
                .envs([("GOTOOLCHAIN", "local"), ("GOFLAGS", "-modcacherw"), ("GOWORK", "off")])
                .envs([("CGO_ENABLED", "0"), ("GONOSUMDB", "*"), ("GOPROXY", &proxies)])
                .env("GOMODCACHE", folder.path().join("modules"))
                .env("GOCACHE", target().join("peers/go-cache")),
        )
    };
    go(&["mod", "init", "job"]);
    go(&["get", &format!("vaultlet.dev/go@v{VERSION}")]);
    go(&["build", "-o", "job", "."]);
    let module = go(&["list", "-m", "-f", "{{.Dir}}", "vaultlet.dev/go"]).stdout;
    for name in ["LICENSE", "THIRD-PARTY.txt"] {
        let missing = format!("{name} is not in {module}");
        assert!(Path::new(module.trim_end()).join(name).exists(), "{missing}");
    }
    check_example(&[project.join("job").as_os_str()], &[], prints_it);
}
