//! The package's example, run as its users run it; its error lines are those of the command line.

use vaultlet_tests::job::{VALUE, in_dev};
use vaultlet_tests::{Ended, root, vaultlet};

use super::install;

#[test]
fn the_example_runs_as_the_compute_and_on_behalf_of_the_user() {
    for (who, source) in [("managed", "managed-identity"), ("user", "azureml-obo")] {
        let Some(ended) = job(&["--as", who]) else { return };
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let told = format!("') of {} characters, by {source}\n", VALUE.len());
        assert!(ended.stdout.starts_with("Secret('akv://my-key-vault."), "{}", ended.stdout);
        assert!(ended.stdout.ends_with(&told), "{}", ended.stdout);
        ended.reveals_none_of(&[VALUE], true);
    }
}

#[test]
fn the_error_for_a_denied_secret_is_the_command_lines() {
    let Some(ended) = job(&["--grant", "managed:none"]) else { return };
    let line = |ended: &Ended| ended.stderr.lines().last().unwrap_or_default().to_owned();
    let told = line(&ended);
    let (class, told) = told.split_once(": ").unwrap();
    assert_eq!((ended.code, class), (1, "vaultlet.DeniedError"), "{}", ended.stderr);
    let get = [vaultlet().as_os_str(), "get".as_ref(), "akv://my-key-vault/db-password".as_ref()];
    let by_command = in_dev(&["--grant", "managed:none"], &get, &[]);
    assert_eq!(by_command.code, 77, "{}", by_command.stderr);
    assert_eq!(line(&by_command), format!("vaultlet: {told}"));
    assert!(told.ends_with("(vault-forbidden)"), "{told}");
    ended.reveals_none_of(&[VALUE], true);
}

fn job(options: &[&str]) -> Option<Ended> {
    let (python, job) = (install::python()?, root().join("host/python/examples/job.py"));
    Some(in_dev(options, &[python.as_os_str(), job.as_os_str()], &[]))
}
