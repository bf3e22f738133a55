//! What lets others check a release: packing again makes the same bytes, no folder of the machine is in them, the
//! signature and the statement of provenance.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use vaultlet_tests::{Ended, builds, root, succeeds, target};

use super::{VERSION, distributions, missing, packages, part, repositories};

/// What is packed a second time: the parts that build nothing.
const AGAIN: [&str; 5] = ["program", "deb", "rpm", "oci", "brew"];

/// The lines of the page "Install", for a folder with all files of a release in it.
const VERIFY: &str = "gpg --quiet --verify SHA256SUMS.asc SHA256SUMS
sed 's,  .*/,  ,' SHA256SUMS | sha256sum --check --strict --ignore-missing";

#[test]
fn packed_elsewhere_the_bytes_are_the_same_and_the_signature_holds() {
    let parts: Vec<&str> = AGAIN.into_iter().filter(|name| part(name).is_some()).collect();
    if parts.is_empty() || missing(&["gpg"]).is_some() {
        return vaultlet_tests::sandbox::skipped("packages", "tools are missing");
    }
    let folder = TempDir::new().unwrap();
    let (out, keys) = (folder.path().join("out"), folder.path().join("keys"));
    let key = [
        "--batch",
        "--passphrase",
        "",
        "--quick-generate-key",
        "releases@example.com",
        "ed25519",
        "sign",
        "1d",
    ];
    succeeds(private(&keys, "gpg").arg("--quiet").args(key));
    let mut package = private(&keys, "bash");
    package.arg(root().join("host/package")).args(["--only", &parts.join(",")]);
    package.arg("--out").arg(&out).env("VAULTLET_SIGNING_KEY", "releases@example.com");
    let machine = std::env::consts::ARCH;
    let program = packages().join(format!("program/vaultlet-{VERSION}-linux-{machine}"));
    package.arg("--program").arg(format!("{machine}={}", program.display()));
    // The bytes of a program for Windows are nobody's concern here.
    package.arg("--windows").arg(&program);
    succeeds(builds(&mut package));
    scoop(&out);

    // Two lists of files, as the first one has more parts and no signatures.
    let (first, second) = (sums(packages()), sums(&out));
    let signed = |name: &str| name.ends_with(".asc") || name.ends_with("InRelease");
    let is_own = |name: &str| name == "provenance.intoto.json";
    let mut compared = 0;
    let windows = |name: &str| name.starts_with("scoop/") || name.ends_with("-windows-x86_64.exe");
    let same = |name: &str| !signed(name) && !is_own(name) && !windows(name);
    for (name, sum) in second.iter().filter(|(name, _)| same(name)) {
        assert_eq!(Some(sum), first.get(name), "{name} is not the same");
        compared += 1;
    }
    assert!(compared > 10, "{second:?}");

    // The page's lines, with the public key of the release.
    let page = std::fs::read_to_string(root().join("host/cli/INSTALL.md")).unwrap();
    for line in VERIFY.lines() {
        assert!(page.contains(&line.replace("--quiet ", "")), "{line}");
    }
    let (download, known) = (folder.path().join("download"), folder.path().join("known"));
    std::fs::create_dir(&download).unwrap();
    for name in
        ["SHA256SUMS", "SHA256SUMS.asc", "vaultlet-signing-key.asc", "provenance.intoto.json"]
    {
        std::fs::copy(out.join(name), download.join(name)).unwrap();
    }
    let deb = download.join(distributions::deb(&out.join("deb")).file_name().unwrap());
    std::fs::copy(distributions::deb(&out.join("deb")), &deb).unwrap();
    succeeds(
        private(&known, "gpg")
            .args(["--quiet", "--batch", "--import"])
            .arg(out.join("vaultlet-signing-key.asc")),
    );
    let verify = || {
        let mut shell = private(&known, "sh");
        Ended::from(shell.args(["-ec", VERIFY]).current_dir(&download).output().unwrap())
    };
    let good = verify();
    assert_eq!(good.code, 0, "{}", good.stderr);
    assert!(
        good.stdout.contains(".deb: OK\n") && good.stdout.contains("intoto.json: OK\n"),
        "{}",
        good.stdout
    );
    let key = format!("signed-by={}", out.join("vaultlet-signing-key.asc").display());
    let by_apt = repositories::by_apt(&out.join("deb"), &key);
    assert!(repositories::is_candidate(&by_apt), "{}{}", by_apt.stdout, by_apt.stderr);
    let index = out.join("rpm/repodata/repomd.xml");
    let mut check = private(&known, "gpg");
    succeeds(check.args(["--quiet", "--verify"]).arg(index.with_extension("xml.asc")).arg(index));
    // A package that was changed, and a list that was changed to agree.
    let mut bytes = std::fs::read(&deb).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&deb, &bytes).unwrap();
    let changed = verify();
    assert!(changed.code != 0 && changed.stdout.contains(".deb: FAILED\n"), "{}", changed.stdout);
    let list = "sha256sum *.deb > SHA256SUMS";
    succeeds(Command::new("sh").args(["-ec", list]).current_dir(&download));
    let changed = verify();
    assert!(changed.code != 0 && changed.stderr.contains("BAD signature"), "{}", changed.stderr);
    for home in [keys, known] {
        succeeds(private(&home, "gpgconf").args(["--kill", "all"]));
    }
}

/// The manifest for Scoop leads to the program, and has its checksum.
fn scoop(out: &Path) {
    let manifest = std::fs::read(out.join("scoop/vaultlet.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["version"], VERSION);
    let file = &manifest["architecture"]["64bit"];
    let (url, name) = file["url"].as_str().unwrap().rsplit_once("#/").unwrap();
    assert_eq!(manifest["bin"], name);
    let (_, name) = url.split_once(&format!("/releases/download/v{VERSION}/")).unwrap();
    let sums = sums(out);
    assert_eq!(file["hash"].as_str(), sums.get(&format!("program/{name}")).map(String::as_str));
    let next = manifest["autoupdate"]["architecture"]["64bit"]["url"].as_str().unwrap();
    assert_eq!(next.replace("$version", VERSION), file["url"].as_str().unwrap());
}

/// A command with a home of GnuPG, which is made, and no other.
fn private(home: &Path, program: &str) -> Command {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).recursive(true).create(home).unwrap();
    let mut command = Command::new(program);
    command.env("GNUPGHOME", home);
    command
}

/// The checksums of a folder of packages, by file.
fn sums(folder: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let lines = text.lines().map(|line| line.split_once("  ").unwrap());
    lines.map(|(sum, name)| (name.to_owned(), sum.to_owned())).collect()
}

#[test]
fn the_statement_of_provenance_has_all_packages_and_the_commit() {
    let folder = packages();
    let statement = std::fs::read(folder.join("provenance.intoto.json")).unwrap();
    let statement: Value = serde_json::from_slice(&statement).unwrap();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1");
    let subjects = statement["subject"].as_array().unwrap().iter().map(|subject| {
        let sum = subject["digest"]["sha256"].as_str().unwrap();
        (subject["name"].as_str().unwrap().to_owned(), sum.to_owned())
    });
    let mut summed = sums(folder);
    summed.remove("provenance.intoto.json").unwrap();
    assert_eq!(subjects.collect::<BTreeMap<_, _>>(), summed);
    let build = &statement["predicate"]["buildDefinition"];
    let commit = build["resolvedDependencies"][0]["digest"]["gitCommit"].as_str().unwrap();
    let head = succeeds(Command::new("git").args(["rev-parse", "HEAD"]).current_dir(root())).stdout;
    assert_eq!(commit, head.trim_end());
}

/// Paths of this machine in any file of any package.
#[test]
fn no_package_has_a_folder_of_this_machine_in_it() {
    let unpacked = TempDir::new().unwrap();
    let mut count = 0;
    for name in sums(packages()).keys() {
        let file = packages().join(name);
        unpack(&file, &unpacked.path().join(count.to_string()));
        count += 1;
    }
    let home = std::env::var("HOME").unwrap();
    let cargo = std::env::var("CARGO_HOME").unwrap_or_else(|_| format!("{home}/.cargo"));
    let checkout = root().canonicalize().unwrap();
    let folders = [
        checkout.to_str().unwrap().to_owned(),
        target().to_str().unwrap().to_owned(),
        format!("{cargo}/registry"),
        format!("{home}/.rustup"),
    ];
    let mut grep = Command::new("grep");
    grep.args(["--recursive", "--binary-files=text", "--only-matching", "--fixed-strings"]);
    for folder in &folders {
        grep.args(["-e", folder]);
    }
    let found = Ended::from(grep.arg(unpacked.path()).output().unwrap());
    let lines: Vec<_> = found.stdout.lines().take(20).collect();
    assert!(found.code == 1, "{count} files: {lines:#?}");
}

/// Unpacks a file into a folder, and the archives in it; copies what is no archive.
fn unpack(file: &Path, into: &Path) {
    std::fs::create_dir_all(into).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let mut command;
    if ends(&[".tar.gz", ".tgz", ".crate", "-image.tar"]) {
        command = Command::new("tar");
        command.arg("-xf").arg(file).arg("-C").arg(into);
    } else if ends(&[".whl", ".jar", ".zip"]) {
        command = Command::new("python3");
        command.args(["-m", "zipfile", "-e"]).arg(file).arg(into);
    } else if ends(&[".deb"]) {
        command = Command::new("dpkg-deb");
        command.arg("--raw-extract").arg(file).arg(into);
    } else if ends(&[".rpm"]) {
        command = Command::new("sh");
        command.args(["-ec", "rpm2archive - <\"$0\" | tar -xzf - -C \"$1\""]).arg(file).arg(into);
    } else if ends(&[".gz"]) {
        command = Command::new("sh");
        command.args(["-ec", "gzip -dc <\"$0\" >\"$1/file\""]).arg(file).arg(into);
    } else {
        std::fs::copy(file, into.join("file")).unwrap();
        return;
    }
    succeeds(&mut command);
    // Layers of the image have no ending.
    let mut inner: Vec<PathBuf> = Vec::new();
    walk(into, &mut inner);
    for (at, archive) in inner.into_iter().enumerate() {
        let name = archive.file_name().unwrap().to_str().unwrap().to_owned();
        let is_layer =
            name.len() == 64 && std::fs::read(&archive).unwrap().starts_with(&[0x1f, 0x8b]);
        if is_layer {
            let layer = archive.with_extension("tgz");
            std::fs::rename(&archive, &layer).unwrap();
            unpack(&layer, &into.join(format!("inner{at}")));
        } else if name.ends_with(".gz") {
            unpack(&archive, &into.join(format!("inner{at}")));
        }
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            walk(&entry.path(), files);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
}
