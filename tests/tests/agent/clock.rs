//! The clock of the machine is set, forth and back: times of the agent are those of a clock that nobody sets.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use vaultlet_tests::sandbox::skipped;

use crate::support::{Agent, SECRETS, VALUE, folder, local};

/// Debian's library that tells a program another time.
fn library() -> Option<PathBuf> {
    let arch = std::env::consts::ARCH;
    let path = format!("/usr/lib/{arch}-linux-gnu/faketime/libfaketime.so.1");
    Some(PathBuf::from(path)).filter(|path| path.exists())
}

#[test]
fn a_clock_that_is_set_by_days_makes_no_secret_old_or_eternal() {
    let Some(library) = library() else {
        return skipped("the agent's clock", "`faketime` is not installed");
    };
    let local = local();
    let folder = folder();
    let [offset, audit, policy] =
        ["offset", "audit.jsonl", "policy.toml"].map(|it| folder.path().join(it));
    let rule = "[[allow]]\nreference = \"akv://job/*\"\n[audit]\nfile = \"audit.jsonl\"\n";
    fs::write(&policy, rule).unwrap();
    fs::write(&offset, "+0").unwrap();
    let start = |ttl| {
        let arguments = ["--ttl", ttl, "--policy", policy.to_str().unwrap()];
        Agent::start_by(&local, &arguments, |command| {
            command.env("LD_PRELOAD", &library).env("FAKETIME_TIMESTAMP_FILE", &offset);
            command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        })
    };
    let (long, short) = (start("300"), start("0.5"));
    assert_eq!(long.secret("akv://job/s").value(), VALUE);
    let asked = |agent: &Agent| agent.status()["upstream"]["requests"].as_u64().unwrap();
    let of_long = asked(&long);
    let mut days = Vec::new();
    for set in ["+0", "+3d", "-3d", "+40d", "-40d", "+0"] {
        fs::write(&offset, set).unwrap();
        // What is kept stays as long as it shall.
        let secret = long.secret("akv://job/s");
        assert_eq!(secret.value(), VALUE, "{set}");
        assert!(!secret.body.contains("\"stale\""), "{set}");
        // What is asked for anew is so, whatever the clock says.
        let (begun, before) = (Instant::now(), asked(&short));
        while asked(&short) < before + 2 {
            let secret = short.secret("akv://job/s");
            assert_eq!(secret.value(), VALUE, "{set}");
            assert!(!secret.body.contains("\"stale\""), "{set}");
            assert!(begun.elapsed() < Duration::from_secs(20), "{set}: it asks no more");
        }
        let lines = fs::read_to_string(&audit).unwrap();
        days.push(lines.lines().last().unwrap().get(..20).unwrap().to_owned());
    }
    assert_eq!(asked(&long), of_long, "the clock made it ask");
    days.sort_unstable();
    days.dedup();
    assert_eq!(days.len(), 5, "the clock was not set: {days:?}");
    for agent in [&long, &short] {
        assert!(SECRETS.iter().all(|secret| !agent.stderr().contains(secret)));
    }
}
