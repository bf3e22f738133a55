//! A value is in the response to whoever may have it, and nowhere else.

use std::fs;

use crate::support::{Agent, folder, local};

/// Joins texts to one that is in no file as it is.
fn sentinel() -> String {
    ["s3ntinel", "of-the-agent", "Xq9vLk2"].join("-")
}

#[test]
fn a_value_is_in_no_log_audit_line_metric_or_file_of_the_system() {
    let sentinel = sentinel();
    let token = ["t0ken", "of-the-agent", "Kw3"].join("-");
    let local = vaultlet_dev::Local::builder().seed("s", sentinel.as_str()).start().unwrap();
    let folder = folder();
    let (policy, log) = (folder.path().join("policy.toml"), folder.path().join("audit.jsonl"));
    let text =
        format!("[[allow]]\nreference = \"akv://job/*\"\n[audit]\nfile = \"{}\"\n", log.display());
    fs::write(&policy, text).unwrap();
    let token_file = folder.path().join("token");
    fs::write(&token_file, &token).unwrap();
    let agent = Agent::start(
        &local,
        &[
            "--log",
            "debug",
            "--policy",
            policy.to_str().unwrap(),
            "--http",
            "127.0.0.1:0",
            "--token-file",
            token_file.to_str().unwrap(),
        ],
    );
    assert_eq!(agent.secret("akv://job/s").value(), sentinel);
    assert!(agent.post(r#"{"references":["akv://job/s"]}"#).body.contains(&sentinel));
    let member = agent.secret("akv://job/s?json=/a");
    assert_eq!(member.status, 400);
    let target = format!("/v1/{sentinel}?{sentinel}");
    let unknown = agent.get(&target);
    let process = agent.child.id();
    let of_process = |name: &str| fs::read(format!("/proc/{process}/{name}")).unwrap_or_default();
    let texts = [
        ("stderr", agent.stderr()),
        ("audit", fs::read_to_string(&log).unwrap()),
        ("metrics", agent.get("/metrics").body),
        ("status", agent.get("/v1/status").body),
        ("an error", member.body),
        ("an unknown path", unknown.body),
        ("command line", String::from_utf8_lossy(&of_process("cmdline")).into_owned()),
        ("environment", String::from_utf8_lossy(&of_process("environ")).into_owned()),
    ];
    for (name, text) in texts {
        assert!(name == "environment" || !text.is_empty(), "{name} is empty");
        assert!(!text.contains(&sentinel), "the value is in: {name}");
        assert!(!text.contains(&token), "the token is in: {name}");
    }
    assert!(agent.stderr().contains("agent: GET /v1/secret 200"), "{}", agent.stderr());
}

#[cfg(target_os = "linux")]
#[test]
fn its_memory_is_no_dump_and_no_other_program_of_its_user_reads_it() {
    use std::os::unix::fs::MetadataExt as _;
    let local = local();
    let agent = Agent::start(&local, &[]);
    let process = agent.child.id();
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(line.split_whitespace().nth(4), Some("0"), "{line}");
    // The files of a process that cannot be dumped are root's, whoever it belongs to.
    assert_eq!(fs::metadata(format!("/proc/{process}/mem")).unwrap().uid(), 0);
}
