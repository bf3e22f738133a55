//! Builds the components for `wasm32-wasip2` and leaves them where their users look: `vaultlet.wasm` and
//! `embedded.wasm` in the target directory, and with the WIT inside the package `vaultlet-host`, which
//! ships them.
//!
//! Called by `guest/build/run` with the checkout and the target directory. Prints the paths to watch, as a
//! build script does. With `--p3` it builds `vaultlet-p3.wasm` alone, into the target directory.

mod order;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const TARGET: &str = "wasm32-wasip2";

/// A component: the same core in a shell for one world.
struct Component {
    file: &'static str,
    package: &'static str,
    /// The profile of the workspace, which has a folder of its own in the target directory: neither build
    /// undoes the other.
    profile: &'static str,
    features: &'static str,
}

const EMBEDDED: &str = "embedded.wasm";

const PACKAGE: &str = "vaultlet-component";

const COMPONENTS: [Component; 2] = [
    Component { file: "vaultlet.wasm", package: PACKAGE, profile: "guest", features: "" },
    Component { file: EMBEDDED, package: PACKAGE, profile: "embedded", features: "embedded" },
];

/// Over WASI 0.3: for whoever asks for it.
const P3: Component = Component {
    file: "vaultlet-p3.wasm",
    package: "vaultlet-component-p3",
    profile: "guest",
    features: "",
};

fn main() -> Result<()> {
    // Not the folder that this program was compiled in: a target directory may have been copied.
    let mut folders = env::args_os().skip(1).map(PathBuf::from);
    let (Some(root), Some(target)) = (folders.next(), folders.next()) else {
        return Err("usage: guest/build/run".into());
    };
    let (root, target) = (fs::canonicalize(root)?, fs::canonicalize(target)?);
    let watched =
        ["guest/core", "guest/component", "guest/build", "wit", "Cargo.toml", "Cargo.lock"];
    for path in watched {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    add_target(&root)?;
    if env::args_os().any(|argument| argument == "--p3") {
        let built = build(&root, &target.join("component"), &P3)?;
        let bytes = without_custom_sections(&built, &mut |module| Ok(module.to_vec()))?;
        return write(&target.join(P3.file), &bytes);
    }
    let package = root.join("host/runtime");
    for component in &COMPONENTS {
        let built = build(&root, &target.join("component"), component)?;
        let mut functions = String::new();
        let bytes = without_custom_sections(&built, &mut |module| {
            // The other one is not compiled here, and small as it is.
            if component.file != EMBEDDED {
                return Ok(module.to_vec());
            }
            let (ordered, listed) = order::hot_first(module)?;
            functions += &listed;
            Ok(ordered)
        })?;
        if !functions.is_empty() {
            write(&target.join("embedded-functions.txt"), functions.as_bytes())?;
        }
        write(&target.join(component.file), &bytes)?;
        write(&package.join(component.file), &bytes)?;
    }
    copy_folder(&root.join("wit"), &package.join("wit"))
}

/// Adds Rust's target: rustup does so only when asked, where its automatic installation is off.
fn add_target(root: &Path) -> Result<()> {
    let rustup =
        |arguments: &[&str]| Command::new("rustup").args(arguments).current_dir(root).output();
    let installed = match rustup(&["target", "list", "--installed"]) {
        Ok(list) => list,
        Err(_) if sysroot_has_target() => return Ok(()),
        Err(_) => {
            return Err(format!(
                "the components need Rust's `{TARGET}` target and rustup is not there to add it; \
                 install rustup, or your distribution's package of that target"
            )
            .into());
        }
    };
    if String::from_utf8_lossy(&installed.stdout).lines().any(|line| line == TARGET) {
        return Ok(());
    }
    if env::var_os("CARGO_NET_OFFLINE").is_some_and(|offline| offline == "true") {
        return Err(format!("the build is offline, and Rust's `{TARGET}` target is not there; run `rustup target add {TARGET}` before").into());
    }
    eprintln!("adding Rust's {TARGET} target: rustup target add {TARGET}");
    match rustup(&["target", "add", TARGET]) {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!(
            "`rustup target add {TARGET}` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim().replace('\n', " ")
        )
        .into()),
        Err(error) => Err(format!("`rustup target add {TARGET}` failed: {error}").into()),
    }
}

fn sysroot_has_target() -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Command::new(rustc).args(["--print", "sysroot"]).output().is_ok_and(|output| {
        let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Path::new(&sysroot).join("lib/rustlib").join(TARGET).exists()
    })
}

/// Builds a component and reads it.
fn build(root: &Path, target: &Path, component: &Component) -> Result<Vec<u8>> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--package", component.package, "--locked"])
        .args(["--profile", component.profile, "--features", component.features])
        .args(["--target", TARGET, "--quiet", "--color", "never", "--target-dir"])
        .arg(target)
        .current_dir(root);
    // The profile is the manifest's, whatever the caller chose for its own build.
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PROFILE_") {
            cargo.env_remove(&name);
        }
    }
    if !cargo.status()?.success() {
        let file = component.file;
        return Err(format!("{file} did not build; cargo's messages are above").into());
    }
    let path = target
        .join(TARGET)
        .join(component.profile)
        .join(component.package.replace('-', "_"))
        .with_extension("wasm");
    fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()).into())
}

/// Drops the sections that only debuggers and tools read, also of the modules inside, each of which is given to `change`
/// before. <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md>
fn without_custom_sections(
    component: &[u8],
    change: &mut dyn FnMut(&[u8]) -> Result<Vec<u8>>,
) -> Result<Vec<u8>> {
    const PREAMBLE: usize = 8;
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
    const CUSTOM: u8 = 0;
    /// A core module and a component, within a component.
    const NESTED: [u8; 2] = [MODULE, 4];
    const MODULE: u8 = 1;
    const CUT: &str = "the component ends within a section";
    let (preamble, mut rest) = component.split_at_checked(PREAMBLE).ok_or(CUT)?;
    let mut kept = preamble.to_vec();
    while let Some((&id, after)) = rest.split_first() {
        let (size, after) = leb128(after).ok_or(CUT)?;
        let (content, next) = after.split_at_checked(size).ok_or(CUT)?;
        if preamble == COMPONENT && NESTED.contains(&id) {
            let changed = if id == MODULE { change(content)? } else { content.to_vec() };
            let content = without_custom_sections(&changed, change)?;
            kept.push(id);
            write_leb128(&mut kept, content.len());
            kept.extend_from_slice(&content);
        } else if id != CUSTOM {
            kept.extend_from_slice(rest.get(..rest.len() - next.len()).ok_or(CUT)?);
        }
        rest = next;
    }
    Ok(kept)
}

fn write_leb128(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = value & 0x7f;
        value >>= 7;
        let more = if value == 0 { 0 } else { 0x80 };
        // Seven bits and a flag.
        out.push(low as u8 | more);
        if value == 0 {
            return;
        }
    }
}

/// A section's size, and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f).checked_shl(u32::try_from(at * 7).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

/// Copies a folder of text files, and removes from the copy what the original no longer has.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to.join(&name))?;
        } else if entry.path().extension().is_some_and(|ending| ending == "wit") {
            write(&to.join(&name), &fs::read(entry.path())?)?;
        } else {
            continue;
        }
        names.push(name);
    }
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if names.contains(&entry.file_name()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Leaves a file alone when its content is the same, so that nothing downstream is rebuilt.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(path, bytes)
        .map_err(|error| format!("cannot write {}: {error}", path.display()).into())
}
