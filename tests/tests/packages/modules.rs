//! The wheel, the npm tarball and the Go module.

use std::process::Command;

use tempfile::TempDir;
use vaultlet_tests::job::VALUE;
use vaultlet_tests::{root, succeeds, target};

use super::{VERSION, check_example, only, part, prints_it};

#[test]
fn the_wheel_works_in_an_empty_environment() {
    let Some(folder) = part("python") else { return };
    let wheel = only(&folder, ".whl");
    let folder = TempDir::new().unwrap();
    succeeds(Command::new("python3").args(["-m", "venv"]).arg(folder.path()));
    let python = folder.path().join("bin/python");
    let pip = ["-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check"];
    succeeds(Command::new(&python).args(pip).arg(wheel));
    let facts = "from importlib.metadata import distribution as of; d = of('vaultlet'); \
                 print(d.version, d.requires, *sorted(f.name for f in d.files if 'licenses' in f.parts))";
    let result = succeeds(Command::new(&python).args(["-c", facts])).stdout;
    assert_eq!(result, format!("{VERSION} None LICENSE THIRD-PARTY.txt\n"));
    let job = root().join("host/python/examples/job.py");
    check_example(&[python.as_os_str(), job.as_os_str()], &[], |said| {
        said.contains(&format!("of {} characters", VALUE.len())) && !said.contains(VALUE)
    });
}

#[test]
fn the_npm_tarball_works_in_an_empty_folder() {
    let Some(folder) = part("node") else { return };
    let tarball = only(&folder, ".tgz");
    let folder = TempDir::new().unwrap();
    let npm = ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"];
    succeeds(Command::new("npm").args(npm).arg(tarball).current_dir(folder.path()));
    let package = folder.path().join("node_modules/vaultlet");
    let manifest = std::fs::read(package.join("package.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["version"], VERSION);
    for name in ["LICENSE", "THIRD-PARTY.txt"] {
        assert!(package.join(name).exists(), "{name}");
    }
    let job = folder.path().join("job.mjs");
    std::fs::copy(root().join("host/node/examples/job.mjs"), &job).unwrap();
    check_example(&["node".as_ref(), job.as_os_str()], &[], |said| {
        said.contains(&format!("of {} characters", VALUE.len())) && !said.contains(VALUE)
    });
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
        assert!(std::path::Path::new(module.trim_end()).join(name).exists(), "{missing}");
    }
    check_example(&[project.join("job").as_os_str()], &[], prints_it);
}
