//! The container image, as programs that need no daemon read it.

use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::succeeds;

use super::distributions::in_land;
use super::{VERSION, only, part};

#[test]
fn the_image_has_one_program_which_runs_as_nobody() {
    let Some(folder) = part("oci") else { return };
    let (archive, made) = (only(&folder, "-image.tar"), TempDir::new().unwrap());
    let skopeo = |arguments: &[&str]| -> String {
        succeeds(Command::new("skopeo").args(arguments).current_dir(made.path())).stdout
    };
    // One name, which a registry resolves by the machine that asks.
    let name = format!("oci-archive:{}:{VERSION}", archive.display());
    let index: Value = serde_json::from_str(&skopeo(&["inspect", "--raw", &name])).unwrap();
    assert_eq!(index["mediaType"], "application/vnd.oci.image.index.v1+json");
    assert_eq!(index["manifests"][0]["platform"]["os"], "linux");
    let config: Value = serde_json::from_str(&skopeo(&["inspect", "--config", &name])).unwrap();
    let config = &config["config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], serde_json::json!(["/usr/local/bin/vaultlet"]));
    assert!(config["Env"][0].as_str().unwrap().contains(":/usr/local/bin:"), "{config}");
    for (label, value) in [("title", "vaultlet"), ("version", VERSION), ("licenses", "Apache-2.0")]
    {
        assert_eq!(config["Labels"][format!("org.opencontainers.image.{label}")], value);
    }
    assert_eq!(config["Labels"]["org.opencontainers.image.revision"].as_str().unwrap().len(), 40);

    // In the form of older versions of Docker, too, under the name of the machine.
    let machine = index["manifests"][0]["platform"]["architecture"].as_str().unwrap();
    let older = format!("docker-archive:{}:vaultlet:{VERSION}-{machine}", archive.display());
    skopeo(&["inspect", &older]);

    skopeo(&["copy", "--quiet", &name, "oci:layout:one"]);
    let bundle = made.path().join("bundle");
    let mut unpack = Command::new("umoci");
    unpack.args(["unpack", "--rootless", "--image", "layout:one"]).arg(&bundle);
    succeeds(unpack.current_dir(made.path()));
    let image = bundle.join("rootfs");
    let listed = succeeds(Command::new("find").arg(".").current_dir(&image)).stdout;
    let mut files: Vec<_> = listed.lines().collect();
    files.sort_unstable();
    assert_eq!(
        files,
        [".", "./tmp", "./usr", "./usr/local", "./usr/local/bin", "./usr/local/bin/vaultlet"]
    );

    // As a container is: its own user, and what every container has.
    for name in ["dev", "proc"] {
        std::fs::create_dir(image.join(name)).unwrap();
    }
    let command = |user: &str| {
        let chroot = format!("chroot {user} '{}' /usr/local/bin/vaultlet demo", image.display());
        in_land(&image, &["sh", "-c", &chroot])
    };
    // A user namespace has one user alone.
    let is_root = rustix::process::geteuid().is_root();
    let Some(ended) = command(if is_root { "--userspec=65532:65532" } else { "" }) else {
        return skipped("packages", "the system permits no namespaces");
    };
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
}
