//! Calls that must not affect each other.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use vaultlet_host::{Cancel, Kind, TokenRequest, Vaultlet};
use vaultlet_tests::guests::guest;
use vaultlet_tests::server::{Answer, Gate, Request, Server};

use super::job::{Job, secret, token};
use super::{FOREVER, VALUE, in_job, local};

/// Threads of a handle with room for one call: what runs, and what waits for it.
const THREADS: usize = 1 + 64;

#[test]
fn a_cancelled_call_does_not_cancel_a_shared_token_request() {
    let gate = Gate::default();
    let held = gate.clone();
    let identity = Server::plain(move |request: &Request| token(request).behind(&held));
    let job = Job::new(identity, secret);
    let vaultlet = job.builder().open().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let get = |name: &str| {
        let (vaultlet, reference) = (vaultlet.clone(), format!("akv://job/{name}"));
        runtime.spawn(async move { vaultlet.get(&reference).await })
    };
    let first = get("one");
    job.identity.wait_for(1);
    let second = get("two");
    first.abort();
    assert!(runtime.block_on(first).unwrap_err().is_cancelled());
    gate.open();
    assert_eq!(runtime.block_on(second).unwrap().unwrap().reveal(), VALUE);
    let paths: Vec<_> = job.vault.requests().into_iter().map(|request| request.target).collect();
    assert!(matches!(&paths[..], [only] if only.starts_with("/secrets/two?")), "{paths:?}");
    assert_eq!(job.identity.requests().len(), 1, "the token request is not repeated");
}

#[test]
fn a_call_dropped_half_way_does_not_affect_the_next_one() {
    let job = Job::new(Server::plain(token), |request| {
        if request.target.starts_with("/secrets/slow") { Answer::never() } else { secret(request) }
    });
    let vaultlet = job.builder().open().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    for round in 1..=100 {
        let slow = vaultlet.clone();
        let call = runtime.spawn(async move { slow.get("akv://job/slow").await });
        job.vault.wait_for(2 * round - 1);
        call.abort();
        // More rounds than there are instances, so a lost instance would be noticed.
        let secret = runtime.block_on(vaultlet.get("akv://job/other")).unwrap();
        assert_eq!(secret.reveal(), VALUE);
    }
    assert_eq!(job.identity.requests().len(), 1);
}

#[test]
fn a_vault_that_never_responds_does_not_delay_another() {
    let job = Job::new(Server::plain(token), |request| {
        if request.header("host").starts_with("slow.") { Answer::never() } else { secret(request) }
    });
    let vaultlet = job.builder().timeout(FOREVER).open().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let waiting: Vec<_> = (0..32)
        .map(|number| {
            let slow = vaultlet.clone();
            runtime.spawn(async move { slow.get(&format!("akv://slow/s{number}")).await.map(drop) })
        })
        .collect();
    job.vault.wait_for(32);
    for number in 0..8 {
        let secret = vaultlet.get_blocking(&format!("akv://job/s{number}")).unwrap();
        assert_eq!(secret.reveal(), VALUE);
    }
    for call in waiting {
        assert!(!call.is_finished());
        call.abort();
    }
}

#[test]
fn a_guest_that_traps_or_spins_does_not_affect_other_calls() {
    let gate = Gate::default();
    let held = gate.clone();
    let server = Server::plain(move |_| Answer::status(204).behind(&held));
    let planned = format!("127.0.0.1:{}", server.port());
    let component = std::fs::read(guest("prober")).unwrap();
    let vaultlet = Vaultlet::builder()
        .variables(Vec::<(String, String)>::new())
        .component(component)
        .open()
        .unwrap();
    let probe = |what: &str| {
        let (vaultlet, reference) = (vaultlet.clone(), format!("{planned} {what}"));
        std::thread::spawn(move || vaultlet.get_blocking(&reference).unwrap_err())
    };
    let under_way = probe(&format!("http://{planned}/"));
    server.wait_for(1);
    for _ in 0..100 {
        let error = probe("trap").join().unwrap();
        assert_eq!((error.kind, error.id.as_str()), (Kind::Internal, "internal"), "{error}");
    }
    // Twice as many as there are threads: a guest that computes yields its thread.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let spinning: Vec<_> = (0..4)
        .map(|_| {
            let (vaultlet, reference) = (vaultlet.clone(), format!("{planned} spin"));
            runtime.spawn(async move { vaultlet.get(&reference).await.map(drop) })
        })
        .collect();
    runtime.block_on(tokio::task::yield_now());
    let error = probe("trap").join().unwrap();
    assert_eq!(error.kind, Kind::Internal, "{error}");
    drop(spinning);
    drop(runtime);
    gate.open();
    let error = under_way.join().unwrap();
    assert_eq!(error.message, "answered 204");
}

#[test]
fn a_call_may_take_any_time() {
    let local = local();
    let vaultlet = in_job(&local).open().unwrap().with_timeout(Duration::MAX);
    assert_eq!(vaultlet.get_blocking("akv://job/s1").unwrap().reveal(), format!("{VALUE} 1"));
}

#[test]
fn a_handle_outlives_short_lived_runtimes() {
    let local = local();
    let vaultlet = in_job(&local).open().unwrap();
    for number in 0..8 {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let secret = runtime.block_on(vaultlet.get(&format!("akv://job/s{number}"))).unwrap();
        assert_eq!(secret.reveal(), format!("{VALUE} {number}"));
        drop(runtime);
    }
    let counters = local.counters();
    assert_eq!(counters.tokens_issued, 1, "{counters:?}");
    assert_eq!(
        counters.handshakes.values().sum::<u64>(),
        1,
        "the connection is reused: {counters:?}"
    );
}

#[test]
fn a_handle_may_be_opened_and_dropped_inside_a_runtime() {
    let local = local();
    for threads in [1, 4] {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(threads).build().unwrap();
        let builder = in_job(&local);
        runtime.block_on(async move {
            let task = tokio::spawn(async move {
                let vaultlet = builder.open().unwrap();
                vaultlet.get("akv://job/s1").await.unwrap().reveal().to_owned()
            });
            assert_eq!(task.await.unwrap(), format!("{VALUE} 1"));
        });
    }
}

#[test]
fn plain_threads_share_a_handle() {
    let local = local();
    let vaultlet = Arc::new(in_job(&local).open().unwrap());
    std::thread::scope(|scope| {
        for number in 0..16 {
            let vaultlet = &vaultlet;
            scope.spawn(move || {
                let secret = vaultlet.get_blocking(&format!("akv://job/s{number}")).unwrap();
                assert_eq!(secret.reveal(), format!("{VALUE} {number}"));
            });
        }
    });
    let counters = local.counters();
    assert_eq!((counters.tokens_issued, counters.vault_requests()), (1, 16), "{counters:?}");
}

#[test]
fn nothing_public_shows_a_value_in_debug() {
    let local = local();
    let builder = in_job(&local);
    let vaultlet = builder.clone().open().unwrap();
    let secret = vaultlet.get_blocking("akv://job/s1").unwrap();
    let token = vaultlet.token_blocking(TokenRequest::default()).unwrap();
    let denied = vaultlet.get_blocking("akv://job/missing").unwrap_err();
    let environment = local.environment();
    let (_, msi_secret) = environment.iter().find(|(name, _)| name == "MSI_SECRET").unwrap();
    assert!(token.reveal().starts_with("eyJ"));
    for shown in [
        format!("{secret:?} {secret:#?} {:?}", secret.properties()),
        format!("{token:?} {token:#?}"),
        format!("{denied:?} {denied:#?} {denied}"),
        format!("{vaultlet:?} {vaultlet:#?}"),
        format!("{builder:?} {builder:#?}"),
    ] {
        for hidden in [VALUE, token.reveal(), msi_secret, "eyJ"] {
            assert!(!shown.contains(hidden), "a value is shown");
        }
    }
    assert!(format!("{secret:?}").starts_with("Secret(akv://job.vault.azure.net/s1/"));
}

#[test]
fn a_callback_that_blocks_delays_no_deadline() {
    let job = Job::new(Server::plain(token), |_| Answer::never());
    let vaultlet = job.builder().concurrency(1).timeout(FOREVER).open().unwrap();
    let cancel = Cancel::new();
    for number in 0..THREADS {
        vaultlet.with_cancel(&cancel).get_then(&format!("akv://job/s{number}"), drop);
    }
    let queued = vaultlet.with_timeout(Duration::from_millis(50));
    let (blocks, is_blocked) = channel();
    let (release, released) = channel::<()>();
    queued.get_then("akv://job/first", move |_| {
        blocks.send(()).unwrap();
        let _ = released.recv();
    });
    is_blocked.recv_timeout(FOREVER).unwrap();
    let (ends, ended) = channel();
    queued.get_then("akv://job/second", move |result| ends.send(result.unwrap_err().id).unwrap());
    assert_eq!(ended.recv_timeout(FOREVER / 2).unwrap(), "timeout");
    drop(release);
    cancel.cancel();
}
