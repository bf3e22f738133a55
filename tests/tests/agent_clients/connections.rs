//! Connections: kept, made anew, many at once, cancelled, after a fork, and with a token.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use tempfile::TempDir;
use vaultlet_host::{Cancel, EnvironmentRequest, Vaultlet};

use crate::served::{Served, send};
use crate::{VALUE, giving, json, response, with};

fn handle(served: &Served) -> Vaultlet {
    // With such a file the component cannot be loaded.
    with(&[("VAULTLET_AGENT", &served.place()), ("VAULTLET_CA_FILE", "/nowhere")]).open().unwrap()
}

#[test]
fn a_connection_is_kept_and_no_component_is_loaded() {
    let served = giving();
    let vaultlet = handle(&served);
    for _ in 0..10 {
        assert_eq!(vaultlet.get_blocking("akv://job/s").unwrap().reveal(), VALUE);
        assert_eq!(
            block_on(vaultlet.get("https://job.vault.azure.net/secrets/t")).unwrap().reveal(),
            VALUE
        );
    }
    assert_eq!(served.connected(), 1);
    assert_eq!(served.requests.lock().unwrap().len(), 20);
    let refused = vaultlet.token_blocking(vaultlet_host::TokenRequest::default()).unwrap_err();
    assert_eq!(refused.id, "ca-file");
    // What is not a reference is told without asking.
    let malformed = vaultlet.get_blocking("akv://job").unwrap_err();
    assert_eq!(malformed.id, "reference-malformed");
    assert_eq!(served.requests.lock().unwrap().len(), 20);
}

/// The agent has ended and is there again, or has closed a connection that was idle.
#[test]
fn a_connection_that_was_closed_is_made_anew() {
    let served = Served::new(|_, stream| {
        send(stream, &response("200 OK", &json("s", VALUE)));
        std::panic::resume_unwind(Box::new(()));
    });
    let vaultlet = handle(&served);
    for _ in 0..20 {
        assert_eq!(vaultlet.get_blocking("akv://job/s").unwrap().reveal(), VALUE);
    }
    assert_eq!(served.connected(), 20);
}

#[test]
fn many_references_are_few_requests() {
    let served = Served::new(|request, stream| {
        let body = request.split("\r\n\r\n").nth(1).unwrap();
        let asked: serde_json::Value = serde_json::from_str(body).unwrap();
        let names = asked["references"].as_array().unwrap().iter();
        let names = names.map(|it| it.as_str().unwrap().rsplit('/').next().unwrap().to_owned());
        let all: Vec<_> = names.map(|name| json(&name, &format!("{VALUE}-{name}"))).collect();
        send(stream, &response("200 OK", &format!("[{}]", all.join(","))));
    });
    let references: Vec<_> = (0..1_000).map(|number| format!("akv://job/s{number}")).collect();
    let vaultlet = handle(&served);
    let all = vaultlet.get_many_blocking(&references).unwrap();
    assert!(all.iter().enumerate().all(|(at, it)| it.reveal() == format!("{VALUE}-s{at}")));
    assert_eq!(served.requests.lock().unwrap().len(), 4);
    assert_eq!(block_on(vaultlet.get_many(&references)).unwrap().len(), 1_000);
    assert_eq!(vaultlet.get_each_blocking(&references).unwrap().len(), 1_000);
    assert_eq!(served.requests.lock().unwrap().len(), 12);
    let variables = references.iter().take(20).enumerate();
    let variables = variables.map(|(at, it)| (format!("V{at}"), it.clone())).collect();
    let request = EnvironmentRequest { variables: Some(variables), ..Default::default() };
    assert_eq!(
        vaultlet.resolve_environment_blocking(&request).unwrap()["V7"].reveal(),
        format!("{VALUE}-s7")
    );
    assert_eq!(block_on(vaultlet.resolve_environment(&request)).unwrap().len(), 20);
    assert_eq!(served.requests.lock().unwrap().len(), 14);
}

#[test]
fn a_call_is_cancelled_at_once() {
    let (came, come) = std::sync::mpsc::channel();
    let served = Served::new(move |_, _| {
        let _ = came.send(());
        std::thread::sleep(Duration::from_secs(30));
    });
    let cancel = Cancel::new();
    let vaultlet = handle(&served).with_cancel(&cancel);
    let since = Instant::now();
    let other = cancel.clone();
    let thread = std::thread::spawn(move || {
        come.recv().unwrap();
        other.cancel();
    });
    let error = vaultlet.get_blocking("akv://job/s").unwrap_err();
    assert_eq!(error.id, "cancelled");
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    thread.join().unwrap();
}

#[test]
fn the_token_of_a_port_is_read_anew_each_time() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let (served, place) = Served::at_port(|request, stream| {
        let token =
            format!("authorization: Bearer t0ken-{}\r\n", ASKED.fetch_add(1, Ordering::SeqCst));
        assert!(request.contains(&token), "it has another token");
        assert!(request.contains("host: 127.0.0.1:"), "{request}");
        send(stream, &response("200 OK", &json("s", VALUE)));
    });
    let folder = TempDir::new().unwrap();
    let token = folder.path().join("token");
    let file = token.display().to_string();
    let vaultlet =
        with(&[("VAULTLET_AGENT", &place), ("VAULTLET_AGENT_TOKEN_FILE", &file)]).open().unwrap();
    for number in 0..3 {
        std::fs::write(&token, format!("  t0ken-{number}\n")).unwrap();
        assert_eq!(vaultlet.get_blocking("akv://job/s").unwrap().reveal(), VALUE);
    }
    for (content, expected) in
        [("", "one word"), ("two words", "one word"), ("t0k\u{e9}n", "one word")]
    {
        std::fs::write(&token, content).unwrap();
        let error = vaultlet.get_blocking("akv://job/s").unwrap_err();
        assert_eq!(error.id, "credential-file");
        assert!(error.message.contains(expected) && !error.message.contains("t0k"), "{error}");
    }
    std::fs::remove_file(&token).unwrap();
    let error = vaultlet.get_blocking("akv://job/s").unwrap_err();
    assert!(error.to_string().contains("`VAULTLET_AGENT_TOKEN_FILE`"), "{error}");
    assert_eq!(served.requests.lock().unwrap().len(), 3);
}

/// More calls than there are threads, of an agent that does not answer: each ends in its own time.
#[test]
fn a_call_that_waits_for_a_thread_ends_in_its_time() {
    let served = Served::new(|_, _| std::thread::sleep(Duration::from_secs(60)));
    let vaultlet = handle(&served);
    let slow: Vec<_> = (0..200)
        .map(|_| {
            let vaultlet = vaultlet.with_timeout(Duration::from_secs(30));
            let cancel = Cancel::new();
            vaultlet.with_cancel(&cancel).get_then("akv://job/s", |_| {});
            cancel
        })
        .collect();
    let since = Instant::now();
    let error =
        block_on(vaultlet.with_timeout(Duration::from_millis(300)).get("akv://job/s")).unwrap_err();
    assert_eq!(error.id, "timeout");
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    slow.iter().for_each(Cancel::cancel);
}
