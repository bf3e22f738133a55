//! The wheels: the module, and the program in `PATH`.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use vaultlet_tests::job::{VALUE, in_dev};
use vaultlet_tests::{Ended, Run, builds, root, succeeds, target, vaultlet};

use super::{VERSION, check_example, full, part, prints_it};

#[test]
fn the_wheel_works_in_an_empty_environment() {
    let Some(packages) = part("python") else { return };
    let folder = environment();
    let python = folder.path().join("bin/python");
    pip(&python, &["install", "--find-links", packages.to_str().unwrap(), "vaultlet"]);
    let facts = "from importlib.metadata import distribution as of; d = of('vaultlet'); \
                 print(d.version, [r for r in d.requires if 'extra ==' not in r], *sorted(f.name for f in d.files if 'licenses' in f.parts))";
    let result = succeeds(Command::new(&python).args(["-c", facts])).stdout;
    assert_eq!(result, format!("{VERSION} [] LICENSE THIRD-PARTY.txt\n"));
    let job = root().join("host/python/examples/job.py");
    check_example(&[python.as_os_str(), job.as_os_str()], &[], |said| {
        said.contains(&format!("of {} characters", VALUE.len())) && !said.contains(VALUE)
    });
    has_the_program(folder.path());
    pip(&python, &["uninstall", "--yes", "vaultlet"]);
    assert!(!folder.path().join("bin/vaultlet").exists());
    let left = std::fs::read_dir(site_packages(folder.path())).unwrap();
    let left = left
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("vaultlet"));
    assert_eq!(left.count(), 0);
}

/// The program is in `PATH`, and is what `python -m vaultlet` runs.
fn has_the_program(environment: &Path) {
    let program = environment.join("bin/vaultlet");
    let python = environment.join("bin/python");
    let arguments = ["get", "akv://my-key-vault/db-password"].map(std::ffi::OsStr::new);
    for command in
        [vec![program.as_os_str()], vec![python.as_os_str(), "-m".as_ref(), "vaultlet".as_ref()]]
    {
        let ended = in_dev(&[], &[&command[..], &arguments[..]].concat(), &[]);
        assert!(ended.code == 0 && prints_it(&ended.stdout), "{command:?}: {}", ended.stderr);
        ended.reveals_none_of(&[VALUE], false);
    }
}

/// A Python that is too old for the module, or of another kind, gets a wheel with the program alone.
#[test]
fn an_older_python_gets_the_program() {
    let Some(packages) = part("python") else { return };
    let folder = environment();
    let python = folder.path().join("bin/python");
    let machine = std::env::consts::ARCH;
    for (version, kind, platform) in [
        ("3.8", "cp", format!("manylinux2014_{machine}")),
        ("3.6", "cp", format!("manylinux_2_17_{machine}")),
        ("3.12", "pp", format!("manylinux_2_17_{machine}")),
        ("3.12", "cp", format!("musllinux_1_1_{machine}")),
    ] {
        let place = folder.path().join(format!("{kind}{version}-{platform}"));
        let place_name = place.to_str().unwrap();
        pip(
            &python,
            &[
                "install",
                "--find-links",
                packages.to_str().unwrap(),
                "--only-binary",
                ":all:",
                "--target",
                place_name,
            ]
            .into_iter()
            .chain([
                "--python-version",
                version,
                "--implementation",
                kind,
                "--platform",
                &platform,
                "vaultlet",
            ])
            .collect::<Vec<_>>(),
        );
        assert!(!place.join("vaultlet/_vaultlet.abi3.so").exists(), "{version} {platform}");
        let run = |arguments: &[&str]| {
            Run::program(&python).environment([("PYTHONPATH", &place)]).arguments(arguments).end()
        };
        let said = run(&["-m", "vaultlet", "--version"]);
        assert!(said.stdout.contains(VERSION), "{}{}", said.stdout, said.stderr);
        let said: Ended =
            run(&["-c", "import vaultlet; vaultlet.get('akv://my-key-vault/db-password')"]);
        assert!(said.stderr.contains("the module needs CPython 3.9 or later"), "{}", said.stderr);
    }
}

/// What pip says of the wheel is what is in it: the tag is the one that `auditwheel` finds by looking.
#[test]
fn the_tag_of_the_wheel_is_that_which_auditwheel_finds() {
    let Some(packages) = part("python") else { return };
    let tools = succeeds(&mut Command::new(root().join("host/packaging/tools"))).stdout;
    let auditwheel = Path::new(tools.trim_end()).join("auditwheel");
    let mut seen = 0;
    for entry in std::fs::read_dir(packages).unwrap() {
        let wheel = entry.unwrap().path();
        let name = wheel.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.contains("-cp39-abi3-") {
            continue;
        }
        let said = succeeds(Command::new(&auditwheel).arg("show").arg(&wheel)).stdout;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, found) = said.split_once("following platform tag: \"").unwrap();
        let (found, _) = found.split_once('"').unwrap();
        let tags = name.strip_suffix(".whl").unwrap().rsplit('-').next().unwrap();
        assert!(tags.split('.').any(|tag| tag == found), "{name}: {said}");
        seen += 1;
    }
    assert!(seen > 0);
}

/// The commands that install programs of PyPI, each into an environment of its own.
#[test]
fn pipx_and_uv_install_the_program() {
    let Some(packages) = part("python").filter(|_| full()) else { return };
    let folder = environment();
    let at = |name: &str| folder.path().join(name);
    let mut install = Command::new(at("bin/python"));
    succeeds(install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "pipx",
        "uv",
    ]));
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(at("bin").join(program));
        command.args(arguments).env("UV_PYTHON_DOWNLOADS", "never");
        command.env("PIPX_HOME", at("home")).env("PIPX_BIN_DIR", at("pipx"));
        command.env("UV_TOOL_DIR", at("tools")).env("UV_TOOL_BIN_DIR", at("uv"));
        succeeds(command.env("UV_CACHE_DIR", at("cache")));
    };
    let from = packages.to_str().unwrap();
    let pip = format!("--pip-args=--no-index --find-links '{from}'");
    run("pipx", &["install", &pip, "vaultlet"]);
    run("uv", &["tool", "install", "--no-index", "--find-links", from, "vaultlet"]);
    for name in ["pipx", "uv"] {
        let said = succeeds(Command::new(at(name).join("vaultlet")).arg("--version")).stdout;
        assert!(said.contains(VERSION), "{name}: {said}");
    }
    run("pipx", &["uninstall", "vaultlet"]);
    run("uv", &["tool", "uninstall", "vaultlet"]);
    assert!(!at("pipx/vaultlet").exists() && !at("uv/vaultlet").exists());
}

/// The build backend, as `pip install ./host/python` calls it. The extension is the one of the packages, which is compiled
/// once; the program is one that is there, too.
#[test]
fn the_wheel_of_a_checkout_has_the_program() {
    let Some(_) = part("python") else { return };
    let tools = succeeds(&mut Command::new(root().join("host/packaging/tools"))).stdout;
    let tools = PathBuf::from(tools.trim_end());
    let linker =
        succeeds(Command::new(root().join("host/packaging/library")).arg("--linker")).stdout;
    let folder = environment();
    // As the other packages are built, so that nothing is compiled again.
    let mut pip = Command::new("bash");
    pip.args(["-c", ". host/packaging/paths.sh && exec \"$0\" \"$@\""]).arg(tools.join("python"));
    pip.current_dir(root());
    pip.args([
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "--disable-pip-version-check",
        "--wheel-dir",
    ])
    .arg(folder.path())
    .arg(root().join("host/python"))
    .env("PATH", path_with(&tools))
    .env("CARGO_TARGET_DIR", target())
    .env(
        "MATURIN_PEP517_ARGS",
        format!("--locked -i {} -- -Clinker={}", tools.join("python").display(), linker.trim_end()),
    )
    .env("VAULTLET_PROGRAM", vaultlet())
    .env("PYTHONDONTWRITEBYTECODE", "1");
    succeeds(builds(&mut pip));
    let python = folder.path().join("bin/python");
    self::pip(&python, &["install", "--find-links", folder.path().to_str().unwrap(), "vaultlet"]);
    has_the_program(folder.path());
}

fn path_with(folder: &Path) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([folder.to_owned()].into_iter().chain(std::env::split_paths(&path)))
        .unwrap()
}

/// An empty environment.
fn environment() -> TempDir {
    let folder = TempDir::new().unwrap();
    succeeds(Command::new("python3").args(["-m", "venv"]).arg(folder.path()));
    folder
}

fn pip(python: &Path, arguments: &[&str]) {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]).args(arguments);
    succeeds(pip.env("PIP_NO_INDEX", "1"));
}

fn site_packages(environment: &Path) -> PathBuf {
    let versions = std::fs::read_dir(environment.join("lib")).unwrap();
    let mut versions = versions.map(|entry| entry.unwrap().path().join("site-packages"));
    versions.find(|path| path.exists()).unwrap()
}
