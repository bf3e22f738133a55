//! User lands that are not this machine's: the program of the packages starts there, its demo ends well, and a
//! command of the land gets a secret from it. The table in `host/cli/README.md` names them with their C libraries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use vaultlet_tests::job::VALUE;
use vaultlet_tests::sandbox::{in_namespace, skipped};
use vaultlet_tests::{Ended, Run, builds, root, succeeds};

use super::c::unpacked;

/// A folder in which a program finds nothing but the folder.
struct Land<'a> {
    image: &'a Path,
    setup: String,
}

impl<'a> Land<'a> {
    /// The land in this folder, with the program, and with what each container has.
    fn with_program(image: &'a Path, program: &Path) -> Self {
        let mut setup = "ip link set lo up".to_owned();
        for name in ["dev", "proc", "tmp"] {
            fs::create_dir_all(image.join(name)).unwrap();
            if name != "tmp" {
                setup += &format!("; mount --rbind /{name} '{}/{name}'", image.display());
            }
        }
        fs::copy(program, image.join("vaultlet")).unwrap();
        Self { image, setup }
    }

    /// Runs a program of the land; `None` where the system permits no namespaces.
    fn run(&self, program: &[&str]) -> Option<Ended> {
        let image = self.image.to_str().unwrap();
        let whole = ["chroot", image].into_iter().chain(program.iter().copied());
        let (unshare, arguments) = in_namespace(&self.setup, whole)?;
        Some(Run::program(unshare).arguments(arguments).environment([("PATH", PATH)]).end())
    }

    /// Runs the demo, and a command of the land that prints the variable `SECRET`.
    fn holds(&self, print: &[&str]) {
        let Some(demo) = self.run(&["/vaultlet", "demo"]) else {
            return skipped("packages", "the system permits no namespaces");
        };
        let name = self.image.display();
        assert_eq!(demo.code, 0, "{name}: {}{}", demo.stdout, demo.stderr);
        assert!(demo.stdout.contains("vaultlet get"), "{name}: {}", demo.stdout);

        let seed = format!("db-password={VALUE}");
        let dev = ["/vaultlet", "dev", "--vault", "my-key-vault", "--seed", &seed, "--"];
        let run = [
            "/vaultlet",
            "run",
            "--no-masking",
            "-e",
            "SECRET=akv://my-key-vault/db-password",
            "--",
        ];
        let ended = self.run(&[&dev[..], &run, print].concat()).unwrap();
        assert_eq!((ended.stdout.trim_end(), ended.code), (VALUE, 0), "{name}: {}", ended.stderr);
        ended.reveals_none_of(&[VALUE], false);
    }

    /// What a program of the land says of its C library.
    fn says(&self, program: &[&str]) -> Option<String> {
        let ended = self.run(program)?;
        Some(ended.stdout + &ended.stderr)
    }
}

/// The program of the tarball, or the one that `VAULTLET_TEST_PROGRAM` names, and an empty folder.
fn program() -> Option<(TempDir, PathBuf)> {
    if let Some(program) = std::env::var_os("VAULTLET_TEST_PROGRAM") {
        return Some((TempDir::new().unwrap(), program.into()));
    }
    let (folder, prefix) = unpacked()?;
    Some((folder, prefix.join("bin/vaultlet")))
}

const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

#[test]
fn the_program_of_the_tarball_is_static_and_position_independent() {
    let Some((_folder, program)) = program() else { return };
    let said = succeeds(Command::new("readelf").args(["-hldW"]).arg(program)).stdout;
    assert!(said.contains("DYN (Position-Independent Executable file)"), "{said}");
    for missing in ["INTERP", "(NEEDED)", "RWE"] {
        assert!(!said.contains(missing), "{missing}: {said}");
    }
}

#[test]
fn the_program_runs_where_there_is_nothing_else() {
    let Some((folder, program)) = program() else { return };
    let image = folder.path().join("scratch");
    let land = Land::with_program(&image, &program);
    // The one program that can print anything there.
    let get = ["/vaultlet", "get", "akv://my-key-vault/db-password"];
    land.holds(&get);
}

#[test]
fn the_program_runs_with_busybox() {
    let Some((folder, program)) = program() else { return };
    let Some(busybox) = found("busybox") else {
        return skipped("packages", "`busybox` is not installed");
    };
    let image = folder.path().join("busybox");
    let land = Land::with_program(&image, &program);
    put(&busybox, &image.join("bin/busybox"));
    land.holds(&["/bin/busybox", "sh", "-c", "echo \"$SECRET\""]);
}

#[test]
fn the_program_runs_with_musl() {
    let Some((folder, program)) = program() else { return };
    let machine = std::env::consts::ARCH;
    let loader = format!("/lib/ld-musl-{machine}.so.1");
    let image = folder.path().join("musl");
    let land = Land::with_program(&image, &program);
    put(Path::new(&loader), &image.join(loader.trim_start_matches('/')));
    let source = folder.path().join("print.c");
    fs::write(&source, "#include <stdio.h>\n#include <stdlib.h>\nint main(void) { return puts(getenv(\"SECRET\")) < 0; }\n").unwrap();
    succeeds(Command::new("musl-gcc").arg("-o").arg(image.join("print")).arg(&source));
    land.holds(&["/print"]);
    let Some(said) = land.says(&[&loader]) else { return };
    let version = said.lines().find_map(|line| line.strip_prefix("Version ")).unwrap();
    eprintln!("musl {version}");
    assert!(version.starts_with("1."), "{said}");
}

/// Debian's packages of an older release, from the mirror that this machine uses.
#[test]
fn the_program_runs_with_an_older_glibc() {
    if std::env::var_os("VAULTLET_TEST_FULL").is_none() {
        return;
    }
    let Some((folder, program)) = program() else { return };
    let Some(mirror) = mirror() else {
        return skipped("packages", "this is no Debian");
    };
    for (release, libc) in OLDER {
        let image = folder.path().join(release);
        unpack_debian(&mirror, release, folder.path(), &image);
        let land = Land::with_program(&image, &program);
        land.holds(&["/bin/dash", "-c", "echo \"$SECRET\""]);
        finds_users_by_getent(&land);
        let Some(said) = land.says(&["/usr/bin/getconf", "GNU_LIBC_VERSION"]) else { return };
        assert_eq!(said.trim(), libc, "{release}");
        let page = fs::read_to_string(root().join("host/cli/README.md")).unwrap();
        assert!(page.contains(libc), "the page does not name {libc}");
    }
}

/// A policy may name a user whom `/etc/passwd` does not have.
fn finds_users_by_getent(land: &Land<'_>) {
    put_text("alice:x:1234:1234::/:/bin/sh\n", &land.image.join("var/lib/extrausers/passwd"));
    put_text("passwd: files extrausers\n", &land.image.join("etc/nsswitch.conf"));
    let policy = "[[allow]]\nreference = \"akv://my-key-vault/db\"\nuser = [\"alice\"]\n";
    put_text(policy, &land.image.join("policy.toml"));
    for (user, code) in [("1234", 0), ("alice", 0), ("1235", 77), ("nobody-here", 77)] {
        let test = ["/vaultlet", "policy", "test", "--policy", "/policy.toml", "--user", user];
        let Some(ended) = land.run(&[&test[..], &["akv://my-key-vault/db"]].concat()) else {
            return;
        };
        assert_eq!(ended.code, code, "{user}: {}{}", ended.stdout, ended.stderr);
    }
}

/// The program for aarch64, in an emulator that the kernel starts: the demo starts the program itself, too.
#[test]
fn the_program_runs_on_aarch64() {
    const REGISTER: &str = r#"
        mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
        printf '%s' ':aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff:/usr/bin/qemu-aarch64:F' >/proc/sys/fs/binfmt_misc/register
        ip link set lo up
        exec "$0" "$@""#;
    if std::env::var_os("VAULTLET_TEST_FULL").is_none() || cfg!(target_arch = "aarch64") {
        return;
    }
    if found("qemu-aarch64").is_none() {
        return skipped("packages", "`qemu-aarch64` is not installed");
    }
    let made = succeeds(builds(Command::new(root().join("host/program")).arg("aarch64"))).stdout;
    let program = root().join(made.trim());
    let said = succeeds(Command::new("readelf").arg("-hldW").arg(&program)).stdout;
    assert!(said.contains("AArch64") && !said.contains("INTERP"), "{said}");
    // A user namespace has formats of its own: nothing is changed outside.
    let unshare = ["-r", "-n", "-m", "sh", "-euc", REGISTER];
    let ended =
        Run::program("unshare").arguments(unshare).arguments([&program]).arguments(["demo"]).end();
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("vaultlet get"), "{}", ended.stdout);
}

/// Releases that Debian's mirrors still have, and what they have for a C library.
const OLDER: [(&str, &str); 1] = [("bullseye", "glibc 2.31")];

/// A shell, what it needs, and users whom only the system's libraries know.
const PACKAGES: [&str; 5] = ["libc6", "libc-bin", "libgcc-s1", "dash", "libnss-extrausers"];

fn unpack_debian(mirror: &str, release: &str, scratch: &Path, image: &Path) {
    let state = scratch.join(format!("{release}-apt"));
    for folder in ["lists/partial", "cache/archives/partial", "packages"] {
        fs::create_dir_all(state.join(folder)).unwrap();
    }
    // As if nothing was installed.
    fs::write(state.join("status"), "").unwrap();
    let line = format!(
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror} {release} main\n"
    );
    fs::write(state.join("sources.list"), line).unwrap();
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(["-qq", "-o", "Dir::Etc::sourceparts=/dev/null", "-o", "Acquire::Languages=none"]);
        // An archive of a release that has ended is not signed anew.
        apt.args(["-o", "Acquire::Check-Valid-Until=false", "-o", "APT::Sandbox::User=root"]);
        for (name, path) in [
            ("Dir::State::status", "status"),
            ("Dir::State::lists", "lists"),
            ("Dir::Cache", "cache"),
            ("Dir::Etc::sourcelist", "sources.list"),
        ] {
            apt.arg("-o").arg(format!("{name}={}", state.join(path).display()));
        }
        succeeds(apt.args(arguments).current_dir(state.join("packages")));
    };
    apt(&["update"]);
    apt(&[&["download"][..], &PACKAGES].concat());
    for package in fs::read_dir(state.join("packages")).unwrap() {
        succeeds(Command::new("dpkg-deb").arg("-x").arg(package.unwrap().path()).arg(image));
    }
}

/// Where this machine gets Debian's packages from.
pub(super) fn mirror() -> Option<String> {
    let mut apt = Command::new("apt-get");
    apt.args([
        "indextargets",
        "--format",
        "$(REPO_URI) $(ORIGIN) $(SUITE)",
        "Identifier: Packages",
    ]);
    let said = String::from_utf8(apt.output().ok()?.stdout).unwrap();
    let mut lines = said.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    // A suite's name has a hyphen where it is no release: `stable-updates`.
    let found =
        lines.find(|words| words.len() == 3 && words[1] == "Debian" && !words[2].contains('-'));
    found.map(|words| words[0].to_owned())
}

fn found(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|at| at.join(program))
        .find(|it| it.exists())
}

fn put_text(text: &str, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::write(to, text).unwrap();
}

fn put(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).unwrap();
}
