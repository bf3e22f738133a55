//! Signals to the agent, and its end.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use vaultlet_tests::server::{Answer, Gate, Server};
use vaultlet_tests::vault::Writer;

use crate::support::{Agent, VALUE, folder, local, read, request, until};

#[test]
fn sighup_asks_for_all_secrets_anew() {
    let local = local();
    let agent = Agent::start(&local, &[]);
    let writer = Writer::new(&local);
    assert_eq!(agent.secret("akv://job/s").value(), VALUE);
    writer.set("s", "a-n3w-value");
    assert_eq!(agent.secret("akv://job/s").value(), VALUE, "it is kept");
    agent.signal("HUP");
    until("it is asked for anew", || agent.secret("akv://job/s").value() == "a-n3w-value");
}

#[test]
fn a_broken_policy_changes_nothing_and_is_told_and_a_good_one_is_in_force() {
    let local = local();
    let folder = folder();
    let file = folder.path().join("policy.toml");
    let allow = |name: &str| format!("[[allow]]\nreference = \"akv://job/{name}\"\n");
    std::fs::write(&file, allow("s")).unwrap();
    let agent = Agent::start(&local, &["--policy", file.to_str().unwrap()]);
    assert_eq!(agent.secret("akv://job/s").value(), VALUE);
    assert_eq!(agent.secret("akv://job/other").status, 403);
    for (round, broken) in ["[[allow]]\nrefrence = \"x\"\n", "[[", ""].into_iter().enumerate() {
        match broken {
            "" => std::fs::remove_file(&file).unwrap(),
            text => std::fs::write(&file, text).unwrap(),
        }
        agent.signal("HUP");
        let told = "vaultlet: agent: going on with what was read before: ";
        until("it says so", || agent.stderr().matches(told).count() == round + 1);
        assert_eq!(agent.secret("akv://job/s").value(), VALUE);
        assert_eq!(agent.secret("akv://job/other").status, 403);
    }
    std::fs::write(&file, allow("other")).unwrap();
    agent.signal("HUP");
    until("the new policy", || agent.secret("akv://job/s").status == 403);
    assert_eq!(agent.secret("akv://job/other").value(), "an0ther-value");
}

#[test]
fn sigterm_and_sigint_answer_whole_requests_and_end_with_0() {
    for signal in ["TERM", "INT"] {
        let local = local();
        let gate = Gate::default();
        // A vault that answers when the test lets it.
        let waits = gate.clone();
        let vault = Server::plain(move |_| {
            Answer::json(200, r#"{"value":"slow-v4lue","id":"http://127.0.0.1/secrets/s/1"}"#)
                .behind(&waits)
        });
        let reference = format!("http://127.0.0.1:{}/secrets/s", vault.port());
        let agent = Agent::start(&local, &["--allow-http-loopback"]);
        let target = format!("/v1/secret?reference={reference}");
        let mut asked = UnixStream::connect(&agent.socket).unwrap();
        asked.write_all(request(&target, "").as_bytes()).unwrap();
        let version = agent.secret("akv://job/s").json()["version"].as_str().unwrap().to_owned();
        let target = format!("/v1/secret?reference=akv://job/s&after={version}&wait=300");
        let mut waiting = UnixStream::connect(&agent.socket).unwrap();
        waiting.write_all(request(&target, "").as_bytes()).unwrap();
        let mut idle = UnixStream::connect(&agent.socket).unwrap();
        let mut half = UnixStream::connect(&agent.socket).unwrap();
        half.write_all(b"GET /healthz HT").unwrap();
        vault.wait_for(1);
        agent.signal(signal);
        // Whoever waits for news hears that there are none.
        assert_eq!(read(&mut waiting).unwrap().status, 304);
        assert!(matches!(idle.read(&mut [0; 16]), Ok(0) | Err(_)));
        assert!(matches!(half.read(&mut [0; 16]), Ok(0) | Err(_)));
        assert!(UnixStream::connect(&agent.socket).is_err(), "nobody is accepted any more");
        // A program that sends it twice means one.
        agent.signal(signal);
        agent.signal("HUP");
        gate.open();
        let answer = read(&mut asked).unwrap();
        assert!(answer.headers.contains("\nconnection: close"), "{answer:?}");
        assert_ne!(answer.status, 0, "{answer:?}");
        let ended = agent.ended();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
}

#[test]
fn sigquit_ends_it_at_once_before_and_after_sigterm() {
    for is_ending in [false, true] {
        let vault = Server::plain(|_| Answer::json(200, "{}").behind(&Gate::default()));
        let reference = format!("http://127.0.0.1:{}/secrets/s", vault.port());
        let local = local();
        let agent = Agent::start(&local, &["--allow-http-loopback"]);
        let mut asked = UnixStream::connect(&agent.socket).unwrap();
        let target = format!("/v1/secret?reference={reference}");
        asked.write_all(request(&target, "").as_bytes()).unwrap();
        vault.wait_for(1);
        if is_ending {
            agent.signal("TERM");
            until("it ends", || !agent.socket.exists());
        }
        agent.signal("QUIT");
        let ended = agent.ended();
        assert_eq!(ended.code, 131, "{}", ended.stderr);
    }
}

#[test]
fn an_agent_that_was_killed_is_started_again_at_the_same_place() {
    let local = local();
    let folder = folder();
    let socket = folder.path().join("agent.sock");
    for _ in 0..3 {
        let mut agent = Agent::start_at(&local, crate::support::folder(), &socket, &[], |_| {});
        assert_eq!(agent.secret("akv://job/s").value(), VALUE);
        agent.child.kill().unwrap();
        agent.child.wait().unwrap();
    }
}
