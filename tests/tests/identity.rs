//! The identity that a command of `vaultlet run` has: this machine's, none, or a lent one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use vaultlet_dev::Local;
use vaultlet_host::Vaultlet;
use vaultlet_tests::{Ended, Run, vaultlet};

const VALUE: &str = "value-of-the-secret";
const MACHINES: &str = "s3cret-of-the-machine";

fn local() -> Local {
    Local::builder().seed("s", VALUE).start().unwrap()
}

fn run(local: &Local, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let run = Run::vaultlet(["run"].iter().chain(arguments));
    let run = run.environment(local.environment().iter().cloned());
    run.environment(variables.iter().copied()).environment([("PROGRAM", vaultlet())]).end()
}

#[test]
fn a_command_without_identity_has_none_of_what_the_plan_calls_secret() {
    let local = local();
    let secrets = Vaultlet::builder().open().unwrap().plan_blocking(None).unwrap().secrets;
    for name in
        ["MSI_ENDPOINT", "MSI_SECRET", "IDENTITY_HEADER", "AZURE_CLIENT_SECRET", "OBO_ENDPOINT"]
    {
        assert!(secrets.iter().any(|secret| secret == name), "{name}");
    }
    // Those by which the secret itself is read keep their values.
    let own = |name: &str| local.environment().iter().any(|(other, _)| other == name);
    let others: Vec<_> = secrets.iter().filter(|name| !own(name)).collect();
    let kept = ["AZURE_CLIENT_ID", "DEFAULT_IDENTITY_CLIENT_ID", "AZURE_TENANT_ID"];
    let id = local.environment().iter().find(|(name, _)| name == "DEFAULT_IDENTITY_CLIENT_ID");
    let id = id.unwrap().1.as_str();
    let mut variables: Vec<_> = others.iter().map(|name| (name.as_str(), MACHINES)).collect();
    variables.extend(kept.map(|name| (name, id)));
    // Only the endpoint that the local Azure has is asked.
    variables.extend([("VAULTLET_IDENTITY", "managed-identity"), ("PLAIN", "plain")]);
    variables.retain(|(name, _)| {
        !["IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IMDS_ENDPOINT"].contains(name)
    });
    let reference = ["-e", "S=akv://job/s"];
    for (arguments, by_variable) in [
        (&["--drop-identity"][..], false),
        (&["--drop-identity", "--no-masking"], false),
        (&["--no-masking"], true),
        (&[], true),
    ] {
        let flag: &[_] = if by_variable { &[("VAULTLET_DROP_IDENTITY", "true")] } else { &[] };
        let all =
            [arguments, &reference, &["--", "sh", "-c", "env; echo \"length ${#S}\""]].concat();
        let ended = run(&local, &all, &[&variables[..], flag].concat());
        ended.reveals_none_of(&[MACHINES], true);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        for secret in &secrets {
            let set = format!("{secret}=");
            assert!(!ended.stdout.lines().any(|line| line.starts_with(&set)), "{secret}");
        }
        for name in kept {
            assert!(ended.stdout.contains(&format!("{name}={id}\n")), "{name}: {}", ended.stdout);
        }
        assert!(ended.stdout.contains("PLAIN=plain\n"));
        assert!(ended.stdout.contains(&format!("length {}\n", VALUE.len())), "{}", ended.stdout);
    }
    // What the command was given by name stays.
    let given = [
        "-e",
        "MSI_SECRET=given",
        "--drop-identity",
        "--",
        "sh",
        "-c",
        "echo $MSI_SECRET $MSI_ENDPOINT",
    ];
    assert_eq!(run(&local, &given, &[]).stdout, "given\n");
}

#[test]
fn a_lent_identity_takes_the_place_of_the_machines() {
    let local = local();
    let storage = "https://storage.azure.com";
    let both = format!("https://graph.microsoft.com,{storage}");
    let script = "
        \"$PROGRAM\" get akv://job/s; echo
        \"$PROGRAM\" token --resource https://storage.azure.com --reveal >/dev/null 2>&1; echo \"storage $?\"
        [ \"$MSI_SECRET\" = \"$MACHINES\" ]; echo \"same $?\"
        echo \"tenant ${AZURE_TENANT_ID-unset}\"";
    let machines =
        local.environment().iter().find(|(name, _)| name == "MSI_SECRET").unwrap().1.clone();
    let lent = |arguments: &[&str], variables: &[(&str, &str)]| {
        let all = [arguments, &["-e", "S=akv://job/s", "--", "sh", "-c", script]].concat();
        let variables =
            [variables, &[("MACHINES", &machines), ("AZURE_TENANT_ID", "t-1")]].concat();
        let ended = run(&local, &all, &variables);
        ended.reveals_none_of(&[VALUE], true);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        ended.stdout
    };
    for (arguments, variable, storage_code) in [
        (vec!["--lend"], None, 79),
        (vec!["--lend", "--drop-identity"], None, 79),
        (vec![], Some("true"), 79),
        (vec!["--lend=https://storage.azure.com"], None, 0),
        (vec!["--lend", "--lend=https://storage.azure.com"], None, 0),
        (vec![], Some(storage), 0),
        (vec![], Some(both.as_str()), 0),
        // The flag wins.
        (vec!["--lend"], Some(storage), 79),
    ] {
        let variables: Vec<_> = variable.iter().map(|value| ("VAULTLET_LEND", *value)).collect();
        let expected = format!("<S>\nstorage {storage_code}\nsame 1\ntenant unset\n");
        assert_eq!(lent(&arguments, &variables), expected, "{arguments:?} {variable:?}");
    }
    // Whoever lends stays to serve, without masking, too.
    let all = ["--lend", "--no-masking", "--", "sh", "-c", "\"$PROGRAM\" get akv://job/s; exit 9"];
    let ended = run(&local, &all, &[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (9, VALUE), "{}", ended.stderr);
    let all = ["--", "sh", "-c", "[ \"$MSI_SECRET\" = \"$MACHINES\" ]"];
    let ended = run(&local, &all, &[("VAULTLET_LEND", "false"), ("MACHINES", &machines)]);
    assert_eq!(ended.code, 0, "not lent: {}", ended.stderr);
}

#[test]
fn wrong_values_of_the_flags_name_the_flag_or_the_variable() {
    let local = local();
    for (arguments, variables, code, named) in [
        (&["--lend=not a resource"][..], &[][..], 64, "`--lend`"),
        (&[], &[("VAULTLET_LEND", "not a resource")], 78, "`VAULTLET_LEND`"),
        (&["--watch", "--interval", "0"], &[], 64, "interval"),
        (&["--watch", "--interval", "soon"], &[], 64, "interval"),
        (&["--watch", "--on-change", "signal:NONE"], &[], 64, "is no signal"),
        (&["--watch", "--on-change", "stop"], &[], 64, "restart, signal:NAME, exit"),
        (&["--interval", "5"], &[], 64, "`--interval` needs `--watch`"),
        (&["--on-change", "exit"], &[], 64, "`--on-change` needs `--watch`"),
        (&["--watch"], &[("VAULTLET_INTERVAL", "never")], 78, "`VAULTLET_INTERVAL`"),
        (&["--watch"], &[("VAULTLET_ON_CHANGE", "signal:0")], 78, "`VAULTLET_ON_CHANGE`"),
        (&["--drop-identity=x"], &[], 64, "drop-identity"),
    ] {
        let all = [arguments, &["--", "echo", "started"]].concat();
        let ended = run(&local, &all, variables);
        assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{all:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(named), "{all:?}: {}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
    // A variable that has no meaning here is no mistake.
    let ended =
        run(&local, &["--", "true"], &[("VAULTLET_INTERVAL", "5"), ("VAULTLET_ON_CHANGE", "exit")]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
}
