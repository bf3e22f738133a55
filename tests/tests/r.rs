//! Tests of the R package, installed as users install it, in the local Azure.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use vaultlet_dev::{Local, Who};
use vaultlet_tests::agent::{has_options, runs_by_agent};
use vaultlet_tests::environment::Table;
use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Ended, Run, library, root, target};

const VALUE: &str = "correct horse battery staple";

#[test]
fn a_job_reads_a_secret() {
    for (who, endpoint) in [(Who::Managed, "azure-ml"), (Who::User, "azure-ml-obo")] {
        let local = local(who);
        let Some(ended) = run(&local, "examples/job.R") else { return };
        assert_eq!((ended.stdout.as_str(), ended.code), (VALUE, 0), "{}", ended.stderr);
        ended.reveals_none_of(&[VALUE], false);
        let counters = local.counters();
        assert_eq!(counters.identity.get(endpoint), Some(&1), "{counters:?}");
    }
}

#[test]
fn a_job_reads_a_secret_of_an_agent() {
    let Some(rscript) = rscript() else { return };
    let library = rscript.get_envs().find_map(|(name, value)| value.filter(|_| name == "R_LIBS"));
    let job = Run::program("Rscript").environment([("R_LIBS", library.unwrap())]);
    let job = job.arguments([root().join("host/r/examples/job.R")]);
    assert_eq!(runs_by_agent(job, VALUE).stdout, VALUE);
}

/// Gives the handle an option for each variable that is set.
const OPTIONS: &str = r#"
library(vaultlet)
option <- function(name) { value <- Sys.getenv(name, NA); if (is.na(value)) NULL else value }
cat(tryCatch({
  handle <- vaultlet_open(
    agent = option("OPTION_AGENT"), agent_token_file = option("OPTION_AGENT_TOKEN_FILE"),
    agent_fallback = option("OPTION_AGENT_FALLBACK"), policy = option("OPTION_POLICY")
  )
  reveal(vaultlet_get("akv://my-key-vault/db-password", handle))
}, vaultlet_error = function(error) error$id))
"#;

#[test]
fn agent_and_policy_are_options() {
    let Some(rscript) = rscript() else { return };
    let library = rscript.get_envs().find_map(|(name, value)| value.filter(|_| name == "R_LIBS"));
    let program = Run::program;
    has_options(
        || {
            program("Rscript")
                .environment([("R_LIBS", library.unwrap())])
                .arguments(["-e", OPTIONS])
        },
        VALUE,
    );
}

#[test]
fn the_error_of_a_denied_job_is_that_of_the_command_line() {
    let local = local(Who::Managed);
    local.grant("managed:none".parse().unwrap());
    let Some(ended) = run(&local, "examples/job.R") else { return };
    let command_line = Run::vaultlet(["get", "akv://my-key-vault/db-password"])
        .environment(local.environment().iter().cloned())
        .end();
    assert_eq!((ended.code, command_line.code), (1, 77), "{}", ended.stderr);
    assert_eq!(ended.stderr, command_line.stderr.trim_start_matches("vaultlet: "));
    ended.reveals_none_of(&[VALUE], true);
}

#[test]
fn the_package_passes_its_own_tests() {
    let local = local(Who::User);
    let Some(ended) = run(&local, "tests/vaultlet.R") else { return };
    assert_eq!((ended.stdout.as_str(), ended.code), ("done\n", 0), "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE], true);
    assert_eq!(local.counters().tunnels, 0, "it connected to another server: {:?}", local.log());
}

/// The variables are those of the R process.
#[test]
fn the_environment_is_resolved() {
    let table = Table::read();
    let local = table.local().start().unwrap();
    for case in &table.cases {
        let Some(mut command) = rscript() else { return };
        let output = command
            .arg(root().join("host/r/tests/environment.R"))
            .args(case.only.as_ref().map(|_| "--only"))
            .args(case.only.iter().flatten())
            .envs(local.environment().iter().cloned())
            .envs(&case.variables)
            .env("EXPECTED", VALUE)
            .output();
        let ended = Ended::from(output.unwrap());
        ended.reveals_none_of(&[VALUE], false);
        let printed = ended.stdout == case.printed() && ended.code == 0;
        assert!(printed, "{}: {} {}", case.name, ended.code, ended.stderr);
    }
}

/// The interrupted call waits for an identity endpoint that never responds.
#[test]
fn an_interrupt_ends_a_call() {
    let local = local(Who::Managed);
    let Some(mut command) = rscript() else { return };
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let program =
        r#"cat(tryCatch(vaultlet::vaultlet_token(), interrupt = function(i) "interrupted"))"#;
    let child = command
        .args(["-e", program])
        .envs(local.environment().iter().cloned())
        .env("MSI_ENDPOINT", endpoint(&silent))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let request = silent.accept().unwrap();
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let ended = Ended::from(child.wait_with_output().unwrap());
    drop(request);
    assert_eq!((ended.stdout.as_str(), ended.code), ("interrupted", 0), "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE], true);
}

#[test]
fn the_package_has_the_version_of_the_workspace() {
    let description = fs::read_to_string(root().join("host/r/DESCRIPTION")).unwrap();
    let version = concat!("Version: ", env!("CARGO_PKG_VERSION"));
    assert!(description.lines().any(|line| line == version), "{description}");
}

fn local(who: Who) -> Local {
    let builder = Local::builder().vault("my-key-vault").seed("db-password", VALUE).run_as(who);
    builder.start().unwrap()
}

fn run(local: &Local, program: &str) -> Option<Ended> {
    // An identity endpoint that never responds, for some of the tests.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let output = rscript()?
        .env("SILENT", endpoint(&silent))
        .arg(root().join("host/r").join(program))
        .envs(local.environment().iter().cloned())
        .env("EXPECTED", VALUE)
        .output()
        .unwrap();
    Some(Ended::from(output))
}

fn endpoint(listener: &TcpListener) -> String {
    format!("http://{}/msi/token", listener.local_addr().unwrap())
}

/// The interpreter with the package installed, in an otherwise empty environment.
fn rscript() -> Option<Command> {
    static INSTALLED: OnceLock<Option<PathBuf>> = OnceLock::new();
    let library = INSTALLED.get_or_init(install).as_ref()?;
    let mut command = Command::new("Rscript");
    command.env_clear().stdin(Stdio::null()).env("R_LIBS", library);
    for name in ["PATH", "HOME"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    Some(command)
}

fn install() -> Option<PathBuf> {
    if Command::new("R").arg("--version").output().is_err() {
        skipped("the R package", "`R` is not installed");
        return None;
    }
    let packages = target().join("peers/r-library");
    fs::create_dir_all(&packages).unwrap();
    // A copy, because R compiles in the folder of the source.
    let source = target().join("peers/r-source");
    let _ = fs::remove_dir_all(&source);
    let copied = Command::new("cp").arg("-R").arg(root().join("host/r")).arg(&source).status();
    assert!(copied.unwrap().success());
    let installed = Command::new("R")
        .args(["CMD", "INSTALL", "--preclean", "--no-multiarch"])
        .arg(format!("--library={}", packages.display()))
        .arg(&source)
        .env("VAULTLET_INCLUDE", root().join("host/ffi"))
        .env("VAULTLET_LIB", library().parent().unwrap())
        .output();
    let installed = Ended::from(installed.unwrap());
    assert_eq!(installed.code, 0, "{}{}", installed.stdout, installed.stderr);
    assert!(!installed.stderr.contains("warning:"), "{}", installed.stderr);
    Some(packages)
}
