//! `vaultlet install`: a copy of the program for other containers of a pod.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use vaultlet_tests::{Run, vaultlet};

#[test]
fn the_program_is_copied_into_a_folder_or_to_a_file_and_replaced_in_one_step() {
    let folder = tempfile::tempdir().unwrap();
    let install = |to: &str| Run::vaultlet(["install", to]).end();
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).display().to_string();
    let size = fs::metadata(vaultlet()).unwrap().len();
    // What is there is replaced, also a link: not the file that it leads to.
    fs::write(at("precious"), "precious").unwrap();
    std::os::unix::fs::symlink(at("precious"), at("link")).unwrap();
    fs::write(at("old"), "old").unwrap();
    for (to, made) in [(".", "vaultlet"), ("new", "new"), ("old", "old"), ("link", "link")] {
        let ended = install(&text(to));
        assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{to}: {}", ended.stderr);
        let metadata = fs::symlink_metadata(at(made)).unwrap();
        assert!(metadata.is_file() && metadata.len() == size, "{to}");
        assert_eq!(metadata.permissions().mode() & 0o7777, 0o755, "{to}");
        assert_eq!(Run::program(at(made)).arguments(["--version"]).end().code, 0, "{to}");
    }
    assert_eq!(fs::read_to_string(at("precious")).unwrap(), "precious");
    let ended = install(&text("no-such-folder/vaultlet"));
    assert_eq!(ended.code, 69, "{}", ended.stderr);
    assert!(ended.stderr.contains("copying the program to `"), "{}", ended.stderr);
    assert!(ended.stderr.trim_end().ends_with("(output-failed)"), "{}", ended.stderr);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5, "nothing else is left");
}
