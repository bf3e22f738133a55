//! A program for Azure's SDK prints the same with vaultlet, where only the line that imports the client
//! is changed.

use std::fs;

use vaultlet_dev::{Grant, Local, Role, Seed, Who};
use vaultlet_tests::{Ended, Run, root};

use super::{VALUE, install};

const CLIENT: &str = "from azure.keyvault.secrets import SecretClient\n";
const CREDENTIAL: &str = "from azure.identity import DefaultAzureCredential\n";

#[test]
fn the_output_is_the_same_with_vaultlets_client() {
    let changed = |text: &str| text.replace(CLIENT, "from vaultlet.azure import SecretClient\n");
    let ended = prints_the_same(changed);
    // A warning says that vaultlet's credential of the same name is used in place of Azure's.
    assert!(ended.is_none_or(|ended| ended.stderr.contains("import it from vaultlet.azure")));
}

#[test]
fn the_output_is_the_same_with_vaultlets_client_and_credential() {
    let both = "from vaultlet.azure import DefaultAzureCredential, SecretClient\n";
    let ended = prints_the_same(|text| text.replace(CREDENTIAL, "").replace(CLIENT, both));
    assert!(ended.is_none_or(|ended| ended.stderr.is_empty()));
}

fn prints_the_same(change: impl Fn(&str) -> String) -> Option<Ended> {
    let python = install::python()?;
    let text = fs::read_to_string(root().join("tests/tests/python/reads.py")).unwrap();
    let changed = change(&text);
    assert!(
        text.contains(CLIENT) && !changed.contains("azure.keyvault"),
        "the import is not replaced"
    );
    let local = local();
    let run = |text: &str| {
        Run::program(&python)
            .arguments(["-c", text])
            .environment(local.environment().iter().cloned())
            .environment([("VALUE", VALUE)])
            .end()
    };
    let (theirs, ours) = (run(&text), run(&changed));
    assert_eq!(theirs.code, 0, "{}", theirs.stderr);
    assert_eq!((ours.code, ours.stdout.as_str()), (0, theirs.stdout.as_str()), "{}", ours.stderr);
    assert!(theirs.stdout.contains("ForbiddenByRbac"), "{}", theirs.stdout);
    ours.reveals_none_of(&[VALUE], true);
    Some(ours)
}

fn local() -> Local {
    let seed = || Seed::new(VALUE.into());
    let rich = seed().with_content_type("text/plain").with_tag("team", "a").with_tag("stage", "b");
    Local::builder()
        .vault("my-key-vault")
        .seed("plain", "an old value")
        .seed("plain", seed())
        .seed("rich", rich.with_not_before(1_700_000_000).with_expires(4_000_000_000))
        .seed("denied", seed())
        .seed("disabled", seed().with_enabled(false))
        .grant(Grant { who: Who::Managed, role: Role::None, name: Some("denied".into()) })
        .start()
        .unwrap()
}
