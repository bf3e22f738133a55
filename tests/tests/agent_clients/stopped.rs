//! An agent that does nothing, by the clock, and one that is killed and started again while many ask.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use vaultlet_dev::Local;
use vaultlet_host::Vaultlet;
use vaultlet_tests::agent::Agent;
use vaultlet_tests::{Run, kill};

use crate::served::{Served, send};
use crate::{VALUE, json, response, with};

/// The time after which an agent that does nothing is passed over: it is silent for 2 s, and has 3 s to say that it is
/// well; and some more for a busy machine.
const IN_TIME: Duration = Duration::from_secs(10);

fn local() -> Local {
    Local::builder().seed("s", VALUE).seed("t", VALUE).start().unwrap()
}

/// A handle with an agent and an identity.
fn handle(local: &Local, agent: &Agent, fallback: &str) -> Vaultlet {
    let mut variables = local.environment().to_vec();
    variables.push(("VAULTLET_AGENT".into(), format!("unix:{}", agent.socket().display())));
    variables.push(("VAULTLET_AGENT_FALLBACK".into(), fallback.into()));
    Vaultlet::builder().variables(variables).timeout(Duration::from_secs(60)).open().unwrap()
}

#[test]
fn a_stopped_agent_is_passed_over_in_time() {
    let local = local();
    let agent = Agent::start(&local, &[]);
    let [none, direct] = ["none", "direct"].map(|fallback| handle(&local, &agent, fallback));
    assert_eq!(none.get_blocking("akv://job/s").unwrap().reveal(), VALUE);
    let asked = local.counters().vault_requests();
    kill(agent.id(), "STOP");
    // By a connection that was kept, and by new ones.
    for _ in 0..2 {
        let begun = Instant::now();
        let error = none.get_blocking("akv://job/s").unwrap_err();
        assert_eq!(error.id, "agent-unreachable", "{error}");
        assert!(error.message.contains("does not say within 3 s whether it is well"), "{error}");
        assert!(begun.elapsed() < IN_TIME, "{:?}", begun.elapsed());
    }
    assert_eq!(local.counters().vault_requests(), asked);
    let begun = Instant::now();
    assert_eq!(direct.get_blocking("akv://job/s").unwrap().reveal(), VALUE);
    let many = direct.get_many_blocking(&["akv://job/s", "akv://job/t"]).unwrap();
    assert_eq!(many.len(), 2);
    let run = ["run", "-e", "A=akv://job/s", "--", "sh", "-c", "test \"$A\" = v4lue-by-the-agent"];
    let place = format!("unix:{}", agent.socket().display());
    let run = Run::vaultlet(run).environment(local.environment().iter().cloned());
    let run = run.environment([("VAULTLET_AGENT", &*place), ("VAULTLET_AGENT_FALLBACK", "direct")]);
    let ended = run.end();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(begun.elapsed() < 3 * IN_TIME, "{:?}", begun.elapsed());
    kill(agent.id(), "CONT");
    assert_eq!(none.get_blocking("akv://job/s").unwrap().reveal(), VALUE);
}

/// A vault may be slow: the agent is waited for as long as it says that it is well.
#[test]
fn an_agent_that_waits_for_its_vault_is_waited_for() {
    let looked = std::sync::Arc::new(AtomicUsize::new(0));
    let count = looked.clone();
    let served = Served::new(move |request, stream| {
        if request.starts_with("GET /healthz ") {
            count.fetch_add(1, Ordering::SeqCst);
            return send(stream, &response("200 OK", "ok"));
        }
        std::thread::sleep(Duration::from_secs(6));
        send(stream, &response("200 OK", &json("s", VALUE)));
    });
    let vaultlet = with(&[("VAULTLET_AGENT", &served.place())]).open().unwrap();
    assert_eq!(vaultlet.get_blocking("akv://job/s").unwrap().reveal(), VALUE);
    assert_eq!(looked.load(Ordering::SeqCst), 1);
}

/// Killed three times while many ask: without a fallback they get the value or are told that there is no agent, and with
/// one all of them get the value.
#[test]
fn an_agent_that_is_killed_under_load_fails_nobody_who_may_fall_back() {
    let local = local();
    let mut agent = Agent::start(&local, &[]);
    let is_done = AtomicBool::new(false);
    let counts: [AtomicUsize; 3] = Default::default();
    let [got, told, direct] = &counts;
    std::thread::scope(|scope| {
        for number in 0..6 {
            let fallback = if number % 2 == 0 { "none" } else { "direct" };
            let vaultlet = handle(&local, &agent, fallback);
            let is_done = &is_done;
            scope.spawn(move || {
                while !is_done.load(Ordering::Relaxed) {
                    match (vaultlet.get_blocking("akv://job/s"), fallback) {
                        (Ok(secret), _) => {
                            assert_eq!(secret.reveal(), VALUE);
                            let count = if fallback == "none" { got } else { direct };
                            count.fetch_add(1, Ordering::Relaxed);
                        }
                        (Err(error), "none") => {
                            let ids = ["agent-unreachable", "agent-unexpected"];
                            assert!(ids.contains(&error.id.as_str()), "{error}");
                            told.fetch_add(1, Ordering::Relaxed);
                        }
                        (Err(error), _) => panic!("{error}"),
                    }
                }
            });
        }
        let more = |count: &AtomicUsize| {
            let (begun, before) = (Instant::now(), count.load(Ordering::Relaxed));
            while count.load(Ordering::Relaxed) < before + 20 {
                assert!(begun.elapsed() < Duration::from_secs(30), "nothing happens");
                std::thread::yield_now();
            }
        };
        for _ in 0..3 {
            more(got);
            agent.kill();
            more(told);
            more(direct);
            agent.start_again(&local, &[]);
        }
        more(got);
        is_done.store(true, Ordering::Relaxed);
    });
}
