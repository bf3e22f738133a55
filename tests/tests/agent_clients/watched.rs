//! `run --watch` with an agent: it tells of a new version, and however many watch, the vault is asked by it alone.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use vaultlet_dev::Local;
use vaultlet_tests::agent::Agent;
use vaultlet_tests::vault::Writer;
use vaultlet_tests::{Ended, kill, vaultlet};

const OLD: &str = "first-value-of-it";
const NEW: &str = "second-value-of-it";

struct Watched {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Watched {
    fn start(agent: &Agent) -> Self {
        let script =
            "trap 'exit 3' USR1; trap 'exit 0' TERM; echo \"${#S}\"; while :; do sleep 0.02; done";
        let mut command = Command::new("env");
        command.arg("--default-signal").arg(vaultlet());
        command.args(["run", "--watch", "-e", "S=akv://job/s", "--", "sh", "-c", script]);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).envs(agent.variables());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.out.read_line(&mut line).unwrap(), 0, "the output ended");
        line.trim_end().to_owned()
    }
}

#[test]
fn all_hear_of_a_new_version_and_the_vault_of_none_of_them() {
    const WATCHERS: usize = 5;
    let local = Local::builder().seed("s", OLD).start().unwrap();
    let writer = Writer::new(&local);
    let arguments = ["--ttl", "0.5"];
    let mut agent = Agent::start(&local, &arguments);
    let mut watched: Vec<_> = (0..WATCHERS).map(|_| Watched::start(&agent)).collect();
    for one in &mut watched {
        assert_eq!(one.line(), OLD.len().to_string());
    }
    local.reset_counters();
    let since = std::time::Instant::now();
    writer.set("s", NEW);
    for one in &mut watched {
        assert_eq!(one.line(), NEW.len().to_string());
    }
    // The agent's own questions, of which there are few in each of its times.
    let most = 6 + 6 * u64::try_from(since.elapsed().as_millis() / 500).unwrap();
    assert!(local.counters().vault_requests() <= most, "{:?}", local.counters());

    // The agent ends, and is there again with another version.
    agent.kill();
    let mut first = BufReader::new(watched[0].child.stderr.take().unwrap()).lines();
    let told = first.next().unwrap().unwrap();
    assert!(told.contains("changed in the vault; restarting"), "{told}");
    let told = first.next().unwrap().unwrap();
    assert!(told.starts_with("vaultlet: watching S: asking the agent at"), "{told}");
    assert!(told.contains("the command goes on with the value that it has (agent-un"), "{told}");
    writer.set("s", "third");
    agent.start_again(&local, &arguments);
    for one in &mut watched {
        assert_eq!(one.line(), "5");
    }
    for one in watched {
        kill(one.child.id(), "USR1");
        let ended = Ended::from(one.child.wait_with_output().unwrap());
        ended.reveals_none_of(&[OLD, NEW], true);
        assert_eq!(ended.code, 3, "{}", ended.stderr);
        assert!(ended.stderr.matches("watching S").count() <= 1, "{}", ended.stderr);
    }
}
