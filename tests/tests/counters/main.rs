//! Numbers of requests, by the servers' counters, and calls that must not affect each other.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod budget;
mod isolation;
mod job;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use vaultlet_dev::Local;
use vaultlet_host::{Builder, Kind, TokenRequest, UserAssigned, Vaultlet};
use vaultlet_tests::prober::Prober;
use vaultlet_tests::server::{Answer, Gate, Request, Server};

use job::{Job, secret, token};

const VALUE: &str = "correct horse battery staple";
const MSI_SECRET: &str = "msi-secret-of-counters";
const SLOW: &str = "11111111-1111-4111-8111-111111111111";
const QUICK: &str = "22222222-2222-4222-8222-222222222222";

/// A timeout that only a hang reaches.
const FOREVER: Duration = Duration::from_secs(60);

fn local() -> Local {
    let mut local = Local::builder().vault("job");
    for number in 0..64 {
        local = local.seed(format!("s{number}"), format!("{VALUE} {number}"));
    }
    local.start().unwrap()
}

fn in_job(local: &Local) -> Builder {
    Vaultlet::builder().variables(local.environment().iter().cloned())
}

#[test]
fn the_first_secret_takes_two_requests_and_each_further_one_takes_one() {
    let local = local();
    let vaultlet = in_job(&local).open().unwrap();
    for number in 1..=5 {
        let secret = vaultlet.get_blocking(&format!("akv://job/s{number}")).unwrap();
        assert_eq!(secret.reveal(), format!("{VALUE} {number}"));
        let counters = local.counters();
        assert_eq!((counters.identity_requests(), counters.tokens_issued), (1, 1), "{counters:?}");
        assert_eq!(counters.operation("get", 200), number, "{counters:?}");
        assert_eq!(counters.vault_requests(), number, "{counters:?}");
    }
    let counters = local.counters();
    assert_eq!(
        counters.handshakes.values().sum::<u64>(),
        1,
        "one connection is kept: {counters:?}"
    );
}

#[test]
fn a_vault_by_its_localhost_name_is_challenged_once() {
    let local = local();
    let vaultlet = in_job(&local).open().unwrap();
    let origin = local.vault("job").unwrap().localhost().to_owned();
    for (number, requests) in [(1, 2), (2, 3), (3, 4)] {
        vaultlet.get_blocking(&format!("{origin}/secrets/s{number}")).unwrap();
        let counters = local.counters();
        assert_eq!(counters.vault_requests(), requests, "{counters:?}");
        assert_eq!((counters.challenges, counters.tokens_issued), (1, 1), "{counters:?}");
    }
}

#[test]
fn sixty_four_first_gets_at_once_take_one_token_request() {
    let local = local();
    let vaultlet = in_job(&local).open().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let gets: Vec<_> = (0..64)
            .map(|number| {
                let vaultlet = vaultlet.clone();
                tokio::spawn(async move { vaultlet.get(&format!("akv://job/s{number}")).await })
            })
            .collect();
        for (number, get) in gets.into_iter().enumerate() {
            assert_eq!(get.await.unwrap().unwrap().reveal(), format!("{VALUE} {number}"));
        }
    });
    let counters = local.counters();
    assert_eq!((counters.identity_requests(), counters.tokens_issued), (1, 1), "{counters:?}");
    assert_eq!(counters.operation("get", 200), 64, "{counters:?}");
    assert_eq!(counters.vault_requests(), 64, "{counters:?}");
}

#[test]
fn several_references_take_one_token_request_and_keep_their_order() {
    let local = local();
    let vaultlet = in_job(&local).open().unwrap();
    let references: Vec<_> = (0..64).map(|number| format!("akv://job/s{number}")).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let secrets = runtime.block_on(vaultlet.get_many(&references)).unwrap();
    let names: Vec<_> = secrets.iter().map(|secret| secret.properties().name.clone()).collect();
    assert_eq!(names, (0..64).map(|number| format!("s{number}")).collect::<Vec<_>>());
    let counters = local.counters();
    assert_eq!((counters.tokens_issued, counters.vault_requests()), (1, 64), "{counters:?}");
}

#[test]
fn sixty_four_failing_calls_send_one_token_request() {
    let identity = Server::plain(|_| Answer::json(400, r#"{"error":"invalid_request"}"#));
    let job = Job::new(identity, |_| Answer::status(500));
    let vaultlet = job.builder().open().unwrap();
    let references: Vec<_> = (0..64).map(|number| format!("akv://job/s{number}")).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let error = runtime.block_on(vaultlet.get_many(&references)).unwrap_err();
    assert_eq!(error.kind, Kind::Unauthenticated, "{error}");
    assert_eq!((job.identity.requests().len(), job.vault.connections()), (1, 0));
}

#[test]
fn a_slow_identity_does_not_delay_another() {
    let gate = Gate::default();
    let held = gate.clone();
    let identity = Server::plain(move |request: &Request| {
        let answer = token(request);
        if request.target.contains(SLOW) { answer.behind(&held) } else { answer }
    });
    let job = Job::new(identity, secret);
    let vaultlet = job.builder().open().unwrap();
    let as_identity = |id: &str| vaultlet.with_identity(UserAssigned::ClientId(id.into()));
    let (slow, quick) = (as_identity(SLOW), as_identity(QUICK));
    let waiting = std::thread::spawn(move || slow.get_blocking("akv://job/slow"));
    job.identity.wait_for(1);
    // The gate is shut: a call that waited for the slow one would never end.
    assert_eq!(quick.get_blocking("akv://job/quick").unwrap().reveal(), VALUE);
    assert!(!waiting.is_finished());
    gate.open();
    assert_eq!(waiting.join().unwrap().unwrap().reveal(), VALUE);
    assert_eq!(job.identity.requests().len(), 2);
}

#[test]
fn more_slow_identities_than_brokers_delay_only_their_own_callers() {
    let gate = Gate::default();
    let held = gate.clone();
    let identity = Server::plain(move |request: &Request| {
        let answer = token(request);
        if request.target.contains(QUICK) { answer } else { answer.behind(&held) }
    });
    let job = Job::new(identity, secret);
    let vaultlet = job.builder().open().unwrap();
    // A cached token is served even while all brokers are busy.
    let quick = vaultlet.with_identity(UserAssigned::ClientId(QUICK.into()));
    quick.get_blocking("akv://job/first").unwrap();
    let waiting: Vec<_> = (0..20)
        .map(|number| {
            let id = format!("00000000-0000-4000-8000-{number:012}");
            let slow = vaultlet.with_identity(UserAssigned::ClientId(id));
            std::thread::spawn(move || slow.get_blocking("akv://job/slow").map(drop))
        })
        .collect();
    // At least as many calls as there are brokers.
    job.identity.wait_for(1 + 16);
    assert_eq!(quick.get_blocking("akv://job/second").unwrap().reveal(), VALUE);
    gate.open();
    for get in waiting {
        get.join().unwrap().unwrap();
    }
}

#[test]
fn a_thousand_calls_for_three_identities_send_one_request_each() {
    const RESOURCES: [&str; 2] = ["https://vault.azure.net", "https://storage.azure.com"];
    let gate = Gate::default();
    let held = gate.clone();
    let identity = Server::plain(move |request: &Request| token(request).behind(&held));
    let job = Job::new(identity, secret);
    let vaultlet = job.builder().open().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let asking: Vec<_> = (0..1_000)
        .map(|number| {
            let id = format!("00000000-0000-4000-8000-{:012}", number % 3);
            let vaultlet = vaultlet.with_identity(UserAssigned::ClientId(id));
            let resource = Some(RESOURCES[number % 2].to_owned());
            runtime.spawn(async move {
                vaultlet.token(TokenRequest { resource, ..TokenRequest::default() }).await
            })
        })
        .collect();
    job.identity.wait_for(6);
    gate.open();
    for token in asking {
        assert_eq!(runtime.block_on(token).unwrap().unwrap().reveal(), "e.y.J");
    }
    assert_eq!(job.identity.requests().len(), 6);
}

/// Here the endpoint is down; the cache's own tests cover its times with a clock of their own.
#[test]
fn a_valid_cached_token_is_served_when_its_renewal_fails() {
    let gate = Gate::default();
    let held = gate.clone();
    let asked_before = AtomicUsize::new(0);
    let server = Server::plain(move |_| {
        let answer = Answer::status(204);
        if asked_before.fetch_add(1, Ordering::SeqCst) < 2 { answer } else { answer.behind(&held) }
    });
    let url = format!("http://127.0.0.1:{}/", server.port());
    let prober = Prober::new(&format!("authority 127.0.0.1 {} identity plain", server.port()));
    let renewed = format!("kept=0,1000,1000|{url}");
    let kept_for_failures = format!("kept=0,0,1000|{url}");
    for what in [&renewed, &kept_for_failures] {
        assert_eq!(prober.broker(what), "answered 204");
    }
    // The cached response is served at once, though the renewal never ends.
    assert_eq!(prober.broker(&renewed), "answered 204");
    server.wait_for(3);
    drop(server);
    for _ in 0..3 {
        assert_eq!(prober.broker(&renewed), "answered 204");
        assert_eq!(prober.broker(&kept_for_failures), "answered 204");
    }
    let result = prober.broker(&format!("kept=0,0,0|{url}"));
    assert_eq!(
        result, "ErrorCode::ConnectionRefused",
        "a response that was not cached is not served"
    );
}

#[test]
fn a_dead_endpoint_is_named_when_its_token_has_expired() {
    let identity = Server::plain(|request: &Request| {
        token(request);
        Answer::json(200, r#"{"access_token":"e.y.J","expires_in":2,"token_type":"Bearer"}"#)
    });
    let job = Job::new(identity, secret);
    let port = job.identity.port();
    let vaultlet = job.builder().open().unwrap();
    assert_eq!(vaultlet.get_blocking("akv://job/one").unwrap().reveal(), VALUE);
    let Job { identity, vault: _vault, ca: _ca } = job;
    drop(identity);
    // The token is served until it expires, and no longer.
    let error = loop {
        match vaultlet.get_blocking("akv://job/one") {
            Ok(secret) => assert_eq!(secret.reveal(), VALUE),
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind, error.id.as_str()), (Kind::Unavailable, "identity-unreachable"));
    assert!(error.message.contains(&format!("127.0.0.1:{port}")), "{error}");
}
