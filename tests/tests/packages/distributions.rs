//! The packages of distributions: what is in them, and that they can be installed, used and removed where nothing
//! else is but a shell. The units of systemd in them.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use vaultlet_tests::sandbox::{in_namespace, skipped};
use vaultlet_tests::{Ended, Run, root, succeeds};

use super::{VERSION, only, part};

/// The package for the machine that the tests run on.
pub(super) fn deb(folder: &Path) -> PathBuf {
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    only(folder, &format!("_{machine}.deb"))
}

pub(super) fn rpm(folder: &Path) -> PathBuf {
    only(folder, &format!(".{}.rpm", std::env::consts::ARCH))
}

/// What scripts of packages are run by, and the folders that every system has.
fn empty_land() -> TempDir {
    let land = TempDir::new().unwrap();
    for name in ["bin", "dev", "proc", "tmp", "etc", "var/lib/dpkg/info", "var/lib/dpkg/updates"] {
        std::fs::create_dir_all(land.path().join(name)).unwrap();
    }
    for name in ["status", "available"] {
        std::fs::write(land.path().join("var/lib/dpkg").join(name), "").unwrap();
    }
    let found = succeeds(Command::new("sh").args(["-c", "command -v busybox"])).stdout;
    std::fs::copy(found.trim_end(), land.path().join("bin/sh")).unwrap();
    land
}

/// Runs a command that sees the land's devices and processes; `None` if the system permits no namespaces.
pub(super) fn in_land<A: AsRef<OsStr>>(land: &Path, command: &[A]) -> Option<Ended> {
    let mut setup = "ip link set lo up".to_owned();
    for name in ["dev", "proc"] {
        setup += &format!("; mount --rbind /{name} '{}/{name}'", land.display());
    }
    let (unshare, arguments) = in_namespace(&setup, command)?;
    Some(Run::program(unshare).arguments(arguments).end())
}

/// Installs by the first command, checks the program, removes by the second command, and checks what is left.
fn install_and_remove(land: &Path, install: &[OsString], remove: &[OsString]) {
    let Some(installed) = in_land(land, install) else {
        return skipped("packages", "the system permits no namespaces");
    };
    assert_eq!(installed.code, 0, "{}{}", installed.stdout, installed.stderr);
    let chroot = |arguments: &[&str]| {
        let command = ["chroot".as_ref(), land.as_os_str(), OsStr::new("/usr/bin/vaultlet")];
        let arguments = arguments.iter().map(OsStr::new);
        in_land(land, &command.into_iter().chain(arguments).collect::<Vec<_>>()).unwrap()
    };
    let version = chroot(&["--version"]);
    assert_eq!(version.stdout, format!("vaultlet {VERSION}\n"), "{}", version.stderr);
    let demo = chroot(&["demo"]);
    assert_eq!(demo.code, 0, "{}{}", demo.stdout, demo.stderr);
    // The administrator's file, which a removal does not take along.
    std::fs::write(land.join("etc/vaultlet/policy.toml"), "").unwrap();
    let removed = in_land(land, remove).unwrap();
    assert_eq!(removed.code, 0, "{}{}", removed.stdout, removed.stderr);
    let left: Vec<_> = ["usr/bin/vaultlet", "usr/share/doc/vaultlet", "etc/vaultlet/agent.env"]
        .into_iter()
        .filter(|name| land.join(name).exists())
        .collect();
    assert_eq!(left, Vec::<&str>::new());
    assert!(land.join("etc/vaultlet/policy.toml").exists());
}

#[test]
fn the_deb_is_installed_into_an_empty_land_and_removed() {
    let Some(folder) = part("deb") else { return };
    let (land, deb) = (empty_land(), deb(&folder));
    let at = format!("--root={}", land.path().display());
    let dpkg = |action: &str, what: &OsStr| -> Vec<OsString> {
        let arguments = ["dpkg", &at, "--log=/dev/null", action].map(OsString::from);
        arguments.into_iter().chain([what.to_owned()]).collect()
    };
    let install = dpkg("--install", deb.as_os_str());
    install_and_remove(land.path(), &install, &dpkg("--purge", "vaultlet".as_ref()));
}

#[test]
fn the_rpm_is_installed_into_an_empty_land_and_removed() {
    let Some(folder) = part("rpm") else { return };
    let (land, rpm) = (empty_land(), rpm(&folder));
    let at = format!("--root={}", land.path().display());
    let rpm_with = |arguments: [&OsStr; 2]| -> Vec<OsString> {
        let mut command: Vec<OsString> = vec!["rpm".into(), at.clone().into()];
        // Debian's rpm asks to be told that this is not Debian; others do not know the word.
        let mut asked = Command::new("rpm");
        if asked.args(["--force-debian", "--version"]).output().is_ok_and(|o| o.status.success()) {
            command.push("--force-debian".into());
        }
        command.extend(arguments.map(OsString::from));
        command
    };
    let install = rpm_with(["--install".as_ref(), rpm.as_os_str()]);
    let erase = rpm_with(["--erase".as_ref(), "vaultlet".as_ref()]);
    install_and_remove(land.path(), &install, &erase);
}

/// Both packages have what `tests/golden/packages.txt` lists, and a manual page for each command.
#[test]
fn the_packages_have_the_files_that_are_listed() {
    let (Some(debs), Some(rpms)) = (part("deb"), part("rpm")) else { return };
    let listed = std::fs::read_to_string(root().join("tests/golden/packages.txt")).unwrap();
    let said = succeeds(Command::new("dpkg-deb").arg("--contents").arg(deb(&debs))).stdout;
    let found = said.lines().filter(|line| !line.starts_with('d')).map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words[1], "root/root", "{line}");
        format!("deb {} {}", words[0], words[5].trim_start_matches('.'))
    });
    let mut found: Vec<_> = found.collect();
    let mut query = Command::new("rpm");
    query.args(["--query", "--package", "--queryformat"]);
    query.arg(
        "[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILEFLAGS:fflags} %{FILENAMES}\n]",
    );
    let said = succeeds(query.arg(rpm(&rpms))).stdout;
    for line in said.lines().filter(|line| !line.starts_with('d')) {
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words[1], "root/root", "{line}");
        found.push(format!("rpm {} {}", words[0], words[2..].join(" ")));
    }
    let (pages, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|l| l.contains("/man/man1/"));
    let others: String =
        others.into_iter().collect::<BTreeSet<_>>().into_iter().map(|l| l + "\n").collect();
    assert_eq!(others, listed, "if this is meant, change tests/golden/packages.txt");
    let made = TempDir::new().unwrap();
    succeeds(Command::new(vaultlet_tests::vaultlet()).arg("man").arg(made.path()));
    for entry in std::fs::read_dir(made.path()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let those = pages.iter().filter(|line| line.ends_with(&format!("/{name}.gz")));
        assert_eq!(those.count(), 2, "{name}: {pages:?}");
    }
}

/// Checked with the program of the package in the place where the units look for it.
#[test]
fn the_units_of_the_packages_are_good_and_allow_little() {
    let Some(folder) = part("deb") else { return };
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return skipped("packages", "there is no `systemd-analyze`");
    }
    let land = TempDir::new().unwrap();
    succeeds(Command::new("dpkg-deb").arg("--extract").arg(deb(&folder)).arg(land.path()));
    let units: Vec<PathBuf> = ["service", "socket"]
        .map(|kind| land.path().join(format!("usr/lib/systemd/system/vaultlet-agent.{kind}")))
        .into();
    let service = std::fs::read_to_string(&units[0]).unwrap();
    let program = land.path().join("usr/bin/vaultlet");
    std::fs::write(&units[0], service.replace("/usr/bin/vaultlet", program.to_str().unwrap()))
        .unwrap();
    let verify = Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&units).output();
    let verify = Ended::from(verify.unwrap());
    let told: Vec<_> = verify.stderr.lines().filter(|line| line.contains("vaultlet")).collect();
    assert!(verify.code == 0 && told.is_empty(), "{}", verify.stderr);
    // Tenths of the ten that no limits at all would be; what is left is that it runs as root and on a network.
    let security = ["security", "--offline=true", "--no-pager", "--threshold=30"];
    succeeds(Command::new("systemd-analyze").args(security).arg(&units[0]));
}

/// By the programs that distributions check their packages with, which take much to install.
#[test]
fn the_checkers_of_distributions_have_no_complaints() {
    if std::env::var_os("VAULTLET_TEST_FULL").is_none() {
        return;
    }
    let (Some(debs), Some(rpms)) = (part("deb"), part("rpm")) else { return };
    let lintian = Command::new("lintian")
        .args(["--allow-root", "--fail-on=warning"])
        .arg(deb(&debs))
        .output();
    match lintian {
        Err(_) => skipped("packages", "there is no `lintian`"),
        Ok(output) => {
            let ended = Ended::from(output);
            assert!(ended.code == 0 && ended.stdout.is_empty(), "{}{}", ended.stdout, ended.stderr);
        }
    }
    let Ok(output) = Command::new("rpmlint").arg(rpm(&rpms)).output() else {
        return skipped("packages", "there is no `rpmlint`");
    };
    let ended = Ended::from(output);
    // A static program, in which rpmlint finds no dynamic part; not signed by itself; with the changes in a file.
    let known = ["statically-linked-binary", "no-binary", "no-signature", "no-changelogname-tag"];
    let errors = ended.stdout.lines().filter(|line| line.contains(": E: "));
    let errors: Vec<_> =
        errors.filter(|line| !known.iter().any(|known| line.contains(known))).collect();
    assert!(errors.is_empty() && ended.stdout.contains("1 packages"), "{}", ended.stdout);
}
