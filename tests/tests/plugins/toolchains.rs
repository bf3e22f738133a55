//! Builds plugins in languages other than Rust, with tools that are installed into `target/plugins` if the
//! interpreter or compiler is available.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use vaultlet_tests::guests::tool;
use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{root, succeeds, target};

/// The plugin in `tests/guests/languages/c`, built by clang with WASI's C library.
pub(crate) fn c() -> Option<Vec<u8>> {
    let library =
        Command::new("clang").args([C_TARGET, "-print-file-name=crt1-reactor.o"]).output();
    let library = library.map(|found| PathBuf::from(String::from_utf8_lossy(&found.stdout).trim()));
    if !library.is_ok_and(|library| library.is_absolute() && library.exists())
        || !is_installed("wasm-ld")
    {
        skipped("plugins", "`clang`, `lld` and `wasi-libc` are not installed");
        return None;
    }
    built("c", &["plugin.c"], |folder, source| {
        let toolchain = tool("toolchain");
        succeeds(Command::new(&toolchain).arg("bindings").args([world(), wit()]).arg(folder));
        let core = folder.join("core.wasm");
        succeeds(
            Command::new("clang")
                .args([
                    C_TARGET,
                    "-mexec-model=reactor",
                    "-Os",
                    "-Wall",
                    "-Wextra",
                    "-Werror",
                    "-I",
                ])
                .args([folder, Path::new("-o"), &core, &source.join("plugin.c")])
                .args(["plugin.c", "plugin_component_type.o"].map(|file| folder.join(file))),
        );
        succeeds(Command::new(&toolchain).arg("component").args([core, folder.join(COMPONENT)]));
    })
}

/// The plugin in `tests/guests/languages/javascript`, which `componentize-js` links with an engine.
pub(crate) fn javascript() -> Option<Vec<u8>> {
    if !is_installed("node") || !is_installed("npm") {
        skipped("plugins", "`node` and `npm` are not installed");
        return None;
    }
    const FILES: [&str; 4] = ["package.json", "package-lock.json", "build.mjs", "plugin.js"];
    built("javascript", &FILES, |folder, source| {
        for file in FILES {
            fs::copy(source.join(file), folder.join(file)).unwrap();
        }
        succeeds(
            Command::new("npm")
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(folder),
        );
        let wit = packages(folder);
        succeeds(
            Command::new("node")
                .args(["build.mjs", "plugin.js"].map(OsStr::new))
                .args([wit.as_path(), Path::new(COMPONENT)])
                .current_dir(folder),
        );
        // The tools take hundreds of megabytes and are not needed any more.
        fs::remove_dir_all(folder.join("node_modules")).unwrap();
    })
}

/// The plugin in `tests/guests/languages/python`, which `componentize-py` links with an interpreter.
pub(crate) fn python() -> Option<Vec<u8>> {
    if !is_installed("python3") {
        skipped("plugins", "`python3` is not installed");
        return None;
    }
    built("python", &["requirements.txt", "app.py"], |folder, source| {
        let environment = folder.join("environment");
        succeeds(Command::new("python3").args(["-m", "venv"]).arg(&environment));
        succeeds(
            Command::new(environment.join("bin/python"))
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--requirement",
                ])
                .arg(source.join("requirements.txt")),
        );
        fs::copy(source.join("app.py"), folder.join("app.py")).unwrap();
        // Without WASI, because Python would import sockets, too.
        succeeds(
            Command::new(environment.join("bin/componentize-py"))
                .arg("--wit-path")
                .arg(packages(folder))
                .args([
                    "--world",
                    "plugin",
                    "componentize",
                    "--stub-wasi",
                    "app",
                    "--output",
                    COMPONENT,
                ])
                .current_dir(folder),
        );
        fs::remove_dir_all(environment).unwrap();
    })
}

const C_TARGET: &str = "--target=wasm32-wasi";
const COMPONENT: &str = "component.wasm";

fn world() -> PathBuf {
    root().join("tests/guests/languages/plugin.wit")
}

fn wit() -> PathBuf {
    root().join("wit")
}

/// Copies the plugin's world and its dependencies into one folder, as these tools require.
fn packages(folder: &Path) -> PathBuf {
    let packages = folder.join("wit");
    let ours = packages.join("deps/keyvault");
    fs::create_dir_all(&ours).unwrap();
    fs::copy(world(), packages.join("plugin.wit")).unwrap();
    for file in ["types.wit", "secrets.wit"] {
        fs::copy(wit().join(file), ours.join(file)).unwrap();
    }
    packages
}

/// The component made from these files, built again only when they have changed.
fn built(language: &str, files: &[&str], build: impl Fn(&Path, &Path)) -> Option<Vec<u8>> {
    let source = root().join("tests/guests/languages").join(language);
    let sources = files.iter().map(|file| source.join(file));
    let all = sources.chain([world(), wit().join("types.wit"), wit().join("secrets.wit")]);
    let wanted: String = all.map(|file| fs::read_to_string(file).unwrap()).collect();
    let folder = target().join("plugins").join(language);
    let stamp = folder.join("stamp");
    fs::create_dir_all(target().join("plugins")).unwrap();
    // Another test may build the same component at once, in this process or another.
    let lock = File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if !fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        build(&folder, &source);
        fs::write(stamp, wanted).unwrap();
    }
    Some(fs::read(folder.join(COMPONENT)).unwrap())
}

fn is_installed(tool: &str) -> bool {
    Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success())
}
