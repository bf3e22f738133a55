//! The scripts for Slurm, run with the variables that slurmd sets: as root before and after the job, as the job's user before
//! each task.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use vaultlet_dev::Local;
use vaultlet_tests::Ended;
use vaultlet_tests::sandbox::skipped;

use crate::support::{VALUE, copy_of_program, folder, local, program, until};

const USER: &str = "61472";

struct Node {
    folder: tempfile::TempDir,
    local: Local,
}

impl Node {
    fn script(&self, name: &str, account: &str, before: &[&str]) -> Ended {
        let script = self.folder.path().join(name);
        let mut command = program(&self.local, before.first().copied().unwrap_or("sh"));
        command.args(before.iter().skip(1)).args((!before.is_empty()).then_some("sh")).arg(script);
        self.variables(&mut command);
        Ended::from(command.env("SLURM_JOB_ACCOUNT", account).output().unwrap())
    }

    fn variables(&self, command: &mut Command) {
        let path = std::env::var("PATH").unwrap();
        let at = |name: &str| self.folder.path().join(name);
        command.env("PATH", format!("{}:{path}", self.folder.path().display()));
        command.envs([("SLURM_JOB_ID", "4711"), ("SLURM_JOB_UID", USER)]);
        command.env("VAULTLET_SLURM_POLICIES", at("accounts"));
        command.env("VAULTLET_SLURM_RUN", at("run"));
    }

    /// What a task of this user gets.
    fn task(&self, user: &str) -> Ended {
        let user = [format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".into()];
        let rights = ["setpriv", &user[0], &user[1], &user[2]];
        let told = self.script("task_prolog", "team", &rights);
        let place = told.stdout.trim().strip_prefix("export VAULTLET_AGENT=");
        let mut command = Command::new("setpriv");
        command.env_clear().args(&rights[1..]).arg(self.folder.path().join("vaultlet"));
        command.args(["get", "akv://job/s"]).env("VAULTLET_AGENT", place.unwrap_or_default());
        Ended::from(command.output().unwrap())
    }
}

fn is_running(folder: &Path) -> bool {
    let place = folder.join("agent.sock").display().to_string();
    fs::read_dir("/proc").unwrap().flatten().any(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&place)
    })
}

#[test]
fn a_job_of_slurm_has_an_agent_that_answers_its_user_alone_and_ends_with_it() {
    if !rustix::process::geteuid().is_root() {
        return skipped("a_job_of_slurm", "not root");
    }
    let node = Node { folder: folder(), local: local() };
    copy_of_program(node.folder.path());
    for name in ["prolog", "task_prolog", "epilog"] {
        // Where every user can read them.
        let script = vaultlet_tests::root().join("host/packaging/slurm").join(name);
        fs::copy(script, node.folder.path().join(name)).unwrap();
    }
    let accounts = node.folder.path().join("accounts");
    fs::create_dir(&accounts).unwrap();
    let policy = "[[allow]]\nreference = \"akv://job/s\"\nuser = [\"@JOB_UID@\"]\n";
    fs::write(accounts.join("team.toml"), policy).unwrap();
    fs::set_permissions(accounts.join("team.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    let job = node.folder.path().join("run/job-4711");

    // Accounts without a policy, and names that are none, get no agent; nothing drains the node.
    for account in ["other", "", "../accounts/team", ".team"] {
        let ended = node.script("prolog", account, &[]);
        assert_eq!((ended.code, job.exists()), (0, false), "{account}: {}", ended.stderr);
    }
    let ended = node.script("prolog", "team", &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let ended = node.task(USER);
    assert_eq!((ended.code, ended.stdout.trim_end()), (0, VALUE), "{}", ended.stderr);
    let ended = node.task("61473");
    assert_eq!(ended.code, 69, "{}", ended.stderr);
    assert!(is_running(&job));
    let ended = node.script("epilog", "team", &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(!job.exists());
    until("the agent has ended", || !is_running(&job));
    // A policy that is wrong does not keep the job from starting.
    fs::write(accounts.join("team.toml"), "[[alow]]\n").unwrap();
    assert_eq!(node.script("prolog", "team", &[]).code, 0);
    assert_eq!(node.script("epilog", "team", &[]).code, 0);
}

#[test]
fn the_scripts_for_slurm_are_those_of_any_posix_shell() {
    let scripts = ["prolog", "task_prolog", "epilog"];
    let folder = vaultlet_tests::root().join("host/packaging/slurm");
    let check = Command::new("shellcheck").args(scripts).current_dir(folder).output();
    let Ok(check) = check else { return skipped("the_scripts_for_slurm", "no `shellcheck`") };
    let check = Ended::from(check);
    assert_eq!(check.code, 0, "{}", check.stdout);
}
