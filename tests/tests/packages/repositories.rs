//! The folders of `.deb` and `.rpm` are repositories, from which package managers install.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use vaultlet_tests::{Ended, succeeds};

use super::distributions::rpm;
use super::{VERSION, part};

/// Asks apt for the package: what it knows after it has read a repository, `deb [OPTION] file:FOLDER ./`.
pub(super) fn by_apt(debs: &Path, option: &str) -> Ended {
    let folder = TempDir::new().unwrap();
    let list = folder.path().join("list");
    std::fs::write(&list, format!("deb [{option}] file:{} ./\n", debs.display())).unwrap();
    for name in ["state/lists/partial", "cache/archives/partial"] {
        std::fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    let own = |name: &str, path: &str| format!("-o{name}={}", folder.path().join(path).display());
    let script = "apt-get \"$@\" update --quiet && apt-cache \"$@\" policy vaultlet";
    let mut shell = Command::new("sh");
    shell.args(["-ec", script, "apt"]);
    shell.args([own("Dir::State", "state"), own("Dir::Cache", "cache")]);
    shell.arg(own("Dir::Etc::SourceList", "list")).arg("-oDir::Etc::SourceParts=/dev/null");
    shell.args(["-oDebug::NoLocking=1", "-oAPT::Sandbox::User=", "-oAPT::Update::Error-Mode=any"]);
    Ended::from(shell.output().unwrap())
}

/// Whether apt would install the package.
pub(super) fn is_candidate(ended: &Ended) -> bool {
    ended.code == 0 && ended.stdout.contains(&format!("Candidate: {VERSION}-1\n"))
}

#[test]
fn apt_reads_the_folder_of_the_debs() {
    let Some(debs) = part("deb") else { return };
    let trusted = by_apt(&debs, "trusted=yes");
    assert!(is_candidate(&trusted), "{}{}", trusted.stdout, trusted.stderr);
    // Nobody has signed these.
    let refused = by_apt(&debs, "signed-by=/usr/share/keyrings/none.gpg");
    assert!(!is_candidate(&refused), "{}{}", refused.stdout, refused.stderr);
}

#[test]
fn the_metadata_of_the_rpms_name_them_with_their_checksums() {
    let Some(rpms) = part("rpm") else { return };
    let index = std::fs::read_to_string(rpms.join("repodata/repomd.xml")).unwrap();
    let primary = index.split('"').find(|part| part.ends_with("-primary.xml.gz")).unwrap();
    let primary = succeeds(Command::new("gzip").arg("-dc").arg(rpms.join(primary))).stdout;
    let sum = succeeds(Command::new("sha256sum").arg(rpm(&rpms))).stdout;
    let sum = sum.split(' ').next().unwrap();
    assert!(primary.contains("<name>vaultlet</name>") && primary.contains(sum), "{primary}");
}
