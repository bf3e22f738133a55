//! Limits of the process: the error says which limit was met and how high it is. No server is blamed, nothing
//! is called a defect, and nothing panics.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use vaultlet_tests::server::{Answer, Request, Server};
use vaultlet_tests::{Ended, Run, vaultlet};

/// The commands that open a handle, serve, or run a program.
const COMMANDS: &[&[&str]] = &[
    &["get", "akv://localhost/x", "--timeout", "5"],
    &["token", "--reveal"],
    &["whoami"],
    &["list", "akv://localhost"],
    &["identity", "serve", "--", "true"],
    &["dev", "--", "true"],
    &["dev", "--identity-form", "client-certificate", "--", "true"],
    &["explain", "usage"],
];

/// Runs a command of `vaultlet` after a line of shell.
fn below(limit: &str, command: &[&str], variables: &[(&str, &str)]) -> Ended {
    Run::program("sh")
        .arguments(["-c", &format!("{limit}; exec \"$@\"")])
        .arguments(["sh"])
        .arguments([vaultlet()])
        .arguments(command)
        .environment([
            ("MSI_ENDPOINT", "http://127.0.0.1:9/token"),
            ("MSI_SECRET", "s3cret-of-msi"),
        ])
        .environment(variables.iter().copied())
        .end()
}

/// Fails unless a command was done, met the limit with this id, or reached the endpoint, which is not there.
#[track_caller]
fn assert_told(ended: &Ended, ids: &[&str], what: &str) {
    let Ended { code, stderr, .. } = ended;
    let is_told = ids.iter().any(|id| stderr.contains(&format!("({id})")));
    let is_refused = *code == 69 && stderr.contains("connection refused");
    assert!(*code == 0 || (*code == 78 && is_told) || is_refused, "{what}: {ended:?}");
    assert!(!stderr.contains("panicked") && !stderr.contains("internal"), "{what}: {ended:?}");
    assert!(stderr.lines().count() <= 1, "{what}: {ended:?}");
    ended.reveals_none_of(&["s3cret-of-msi"], true);
}

/// Tries all commands at once, as most of them wait for their retries.
fn each_command(tries: impl Fn(usize, &[&str]) + Sync) {
    let tries = &tries;
    std::thread::scope(|scope| {
        for (at, command) in COMMANDS.iter().enumerate() {
            scope.spawn(move || tries(at, command));
        }
    });
}

#[test]
fn each_number_of_descriptors_is_enough_or_is_named() {
    each_command(|_, command| {
        let mut enough = 0;
        for most in [5, 6, 7, 8, 9, 10, 11, 12, 14, 17, 20, 24] {
            // The program's libraries need one descriptor before it runs; it has those above the standard ones.
            let ended = below(&format!("ulimit -n {most}"), command, &[]);
            assert_told(&ended, &["descriptor-limit"], &format!("{most} {command:?}"));
            if ended.code == 78 {
                assert!(ended.stderr.contains(&format!("which is {most};")), "{}", ended.stderr);
                assert_eq!(enough, 0, "{most} {command:?}: it was enough before");
            } else {
                enough = most;
            }
        }
        assert!(enough > 0, "{command:?}");
    });
}

#[test]
fn each_address_space_is_enough_or_is_named() {
    each_command(|_, command| {
        for mib in [75, 90, 100, 120, 150, 180, 250, 500, 1000, 4096] {
            let ended = below(&format!("ulimit -v {}", mib << 10), command, &[]);
            assert_told(&ended, &["address-space"], &format!("{mib} MiB {command:?}"));
            assert!(mib < 1000 || ended.code != 78, "{mib} MiB {command:?}: {ended:?}");
        }
    });
}

/// Root is not limited in its processes: the test gives them up.
#[test]
fn each_number_of_processes_is_enough_or_is_named() {
    let program = std::env::temp_dir().join(format!("vaultlet-limits-{}", std::process::id()));
    std::fs::copy(vaultlet(), &program).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    // Each command runs as a user of its own, as the kernel counts the processes of a user.
    let user = |at: usize| {
        let id = 61_471 + at;
        [format!("--reuid={id}"), format!("--regid={id}"), "--clear-groups".into()]
    };
    let tried =
        Command::new("setpriv").args(user(0)).arg(&program).args(["explain", "usage"]).output();
    if !tried.is_ok_and(|output| output.status.success()) {
        std::fs::remove_file(&program).unwrap();
        return vaultlet_tests::sandbox::skipped("each_number_of_processes", "no other user");
    }
    let told = AtomicU32::new(0);
    each_command(|at, command| {
        for most in [1, 2, 3, 4, 6] {
            let ended = Run::program("prlimit")
                .arguments([&format!("--nproc={most}"), "setpriv"])
                .arguments(user(at))
                .arguments([&program])
                .arguments(command)
                .environment([("MSI_ENDPOINT", "http://127.0.0.1:9/token")])
                .environment([("MSI_SECRET", "s3cret-of-msi")])
                .end();
            assert_told(&ended, &["process-limit"], &format!("{most} {command:?}"));
            told.fetch_add(u32::from(ended.code == 78), Ordering::Relaxed);
        }
    });
    std::fs::remove_file(&program).unwrap();
    let told = told.into_inner();
    assert!(told > 4, "{told}");
}

/// Each file that is read, each name that is looked up and each program that is run needs a descriptor.
#[test]
fn a_missing_descriptor_is_named_wherever_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "content").unwrap();
    let file = file.to_str().unwrap();
    let az = folder.path().join("az");
    std::fs::write(&az, "#!/bin/sh\necho '{}'").unwrap();
    std::fs::set_permissions(&az, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let guid = "11111111-1111-4111-8111-111111111111";
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("a CA file", &[("SSL_CERT_FILE", file)]),
        ("another CA file", &[("VAULTLET_CA_FILE", file)]),
        (
            "a federated token",
            &[
                ("AZURE_CLIENT_ID", guid),
                ("AZURE_TENANT_ID", guid),
                ("AZURE_FEDERATED_TOKEN_FILE", file),
                ("VAULTLET_IDENTITY", "workload-identity"),
            ],
        ),
        (
            "a certificate",
            &[
                ("AZURE_CLIENT_ID", guid),
                ("AZURE_TENANT_ID", guid),
                ("AZURE_CLIENT_CERTIFICATE_PATH", file),
                ("VAULTLET_IDENTITY", "environment"),
            ],
        ),
        ("a program", &[("VAULTLET_IDENTITY", "azure-cli"), ("PATH", &path)]),
        (
            "a name",
            &[
                ("VAULTLET_IDENTITY", "azure-pipelines"),
                ("SYSTEM_ACCESSTOKEN", "s3cret-of-msi"),
                ("AZURESUBSCRIPTION_CLIENT_ID", guid),
                ("AZURESUBSCRIPTION_TENANT_ID", guid),
                ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", guid),
                ("SYSTEM_OIDCREQUESTURI", "https://no-such-name.invalid/x"),
            ],
        ),
        ("a connection", &[("VAULTLET_IDENTITY", "managed-identity")]),
    ];
    for (what, variables) in cases {
        // All descriptors that the shell can have are taken, and one of the standard ones is given up for
        // the program's libraries, which Rust's start-up code takes.
        let mut told = 0;
        for most in 4..=6 {
            let ended = below(
                &format!("exec 3</dev/null <&-; ulimit -n {most}"),
                &["token", "--reveal"],
                variables,
            );
            assert!(!ended.stderr.contains("(internal)"), "{what}: {ended:?}");
            told += u32::from(ended.code == 78 && ended.stderr.contains("(descriptor-limit)"));
        }
        assert!(told > 0, "{what}");
    }
}

/// A job that may have as many instances as it likes still runs under a limit of addresses.
#[test]
fn the_library_needs_no_more_addresses_than_its_calls() {
    let server = Server::plain(|_: &Request| {
        Answer::json(200, r#"{"access_token":"e.y.J","expires_in":"86400","token_type":"Bearer"}"#)
    });
    let endpoint = format!("http://127.0.0.1:{}/token", server.port());
    let program = vaultlet().display().to_string();
    let command = ["identity", "serve", "--", program.as_str(), "token", "--reveal"];
    let ended = below("ulimit -v 2000000", &command, &[("MSI_ENDPOINT", &endpoint)]);
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, "e.y.J", ""));
}
