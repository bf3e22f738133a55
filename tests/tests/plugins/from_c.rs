//! Plugins through the C ABI, in the library with the feature `plugins`.

use std::process::Command;

use vaultlet_dev::Local;
use vaultlet_tests::guests::guest;
use vaultlet_tests::{Run, library_with, root, target};

use crate::job::VALUE;

#[test]
fn a_program_in_c_opens_a_plugin_and_calls_it() {
    let folder = target().join("plugins/ffi");
    std::fs::create_dir_all(&folder).unwrap();
    let library = folder.join("libvaultlet.so.1");
    library_with("plugins", &library);
    let program = folder.join("plugin");
    let output = Command::new("cc")
        .args(["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"])
        .args(["-fsanitize=address,undefined", "-I"])
        .args([root().join("host/ffi"), root().join("tests/ffi/plugin.c"), "-o".into()])
        .args([program.clone(), library])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let local = Local::builder().vault("my-key-vault").seed("db", VALUE).seed("other", VALUE);
    let local = local.start().unwrap();
    let ended = Run::program(&program)
        .arguments([guest("plugin")])
        .environment(local.environment().iter().cloned())
        .environment([("LD_LIBRARY_PATH", &folder)])
        .end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stdout, include_str!("../../ffi/plugin.txt"), "{}", ended.stderr);
    let msi_secret = local.environment().iter().find(|(name, _)| name == "MSI_SECRET");
    ended.reveals_none_of(&[VALUE, &msi_secret.unwrap().1], true);
}
