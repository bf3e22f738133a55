//! What is not there, and what is there and talks nonsense: refused by name, within its time, twice, and with
//! `VAULTLET_AGENT_FALLBACK=direct` passed over.

use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use vaultlet_dev::Local;
use vaultlet_host::{Error, Kind, Vaultlet};
use vaultlet_tests::Run;

use crate::served::{Served, Stream, send};
use crate::{VALUE, json, response, with};

/// Asks twice, and returns the error, which is the same.
#[track_caller]
fn refused(place: &str, within: Duration) -> Error {
    let vaultlet = with(&[("VAULTLET_AGENT", place), ("VAULTLET_TIMEOUT", "20")]).open().unwrap();
    let ask = || {
        let since = Instant::now();
        let error = vaultlet.get_blocking("akv://job/s").unwrap_err();
        assert!(since.elapsed() < within, "{error} after {:?}", since.elapsed());
        error
    };
    let first = ask();
    let second = ask();
    assert_eq!(first, second);
    let several = vaultlet.get_many_blocking(&["akv://job/s", "akv://job/t"]).unwrap_err();
    assert_eq!(several.id, first.id, "{several}");
    first
}

#[test]
fn what_is_no_agents_answer_is_refused() {
    let good = json("s", VALUE);
    let ok = |body: &str| response("200 OK", body);
    let error = |json: &str| response("403 Forbidden", json);
    let whole: Vec<(String, &str)> = vec![
        (String::new(), "closed the connection without an answer"),
        ("nonsense\n".into(), "is not HTTP"),
        ("SSH-2.0-OpenSSH_9.2\r\n".into(), "is not HTTP"),
        ("HTTP/1.1 200 OK\r\n".into(), "before the response was complete"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}".into(),
            "before the response was complete",
        ),
        (format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", u64::MAX), "is too large"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\n".into(), "is too large"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".into(), "is not HTTP"),
        (format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(1_000)), "headers are too large"),
        (ok(""), "not the JSON of a secret"),
        (ok("null"), "not the JSON of a secret"),
        (ok("[]"), "not the JSON of a secret"),
        (ok(&format!("[{good}]")), "not the JSON of a secret"),
        (ok(good.trim_end_matches('}')), "not the JSON of a secret"),
        (ok(&"[".repeat(10_000)), "not the JSON of a secret"),
        (ok(&good.replace("\"value\"", "\"valve\"")), "not the JSON of a secret"),
        (ok(&good.replace(&format!("\"{VALUE}\""), "5")), "not the JSON of a secret"),
        (ok(&good.replace(VALUE, "\\ud800")), "not the JSON of a secret"),
        (ok(&good.replace(VALUE, "a\nb")), "not the JSON of a secret"),
        (ok(&json("other", VALUE)), "of another secret"),
        (ok(&good.replace("job.vault.azure.net", "evil.vault.azure.net")), "of another secret"),
        (response("204 No Content", ""), "status 204"),
        (response("301 Moved", ""), "status 301"),
        (response("304 Not Modified", ""), "status 304"),
        (response("500 Oops", "<html>"), "status 500"),
        (error("{}"), "status 403"),
        (error(r#"{"error":{"id":"x","kind":"of-another-age","message":"x"}}"#), "status 403"),
        (error(r#"{"error":{"id":"x y","kind":"denied","message":"x"}}"#), "status 403"),
        (ok(r#"{"error":{"id":"x","kind":"denied","message":"x"}}"#), "not the JSON of a secret"),
    ];
    for (answer, expected) in whole {
        let shown: String = answer.chars().take(60).collect();
        let served = Served::new(move |_, stream| {
            send(stream, &answer);
            // It ends here, whatever it has promised.
            stream_end(stream);
        });
        let error = refused(&served.place(), Duration::from_secs(5));
        assert_eq!(
            (error.kind, error.id.as_str()),
            (Kind::Unavailable, "agent-unexpected"),
            "{shown}"
        );
        assert!(error.message.contains(expected), "{shown}: {error}");
        assert!(
            error.message.contains(&served.place()) && !error.to_string().contains(VALUE),
            "{error}"
        );
    }
}

/// Lets the client see the end of the connection: the thread ends when it has read that.
fn stream_end(stream: &mut dyn Stream) {
    let _ = stream.flush();
    std::panic::resume_unwind(Box::new(()));
}

/// A server that never ends may send no more than an answer can have.
#[test]
fn what_has_no_end_is_cut_off() {
    for (head, piece) in [
        ("HTTP/1.1 200 OK\r\nx: ", "y"),
        ("HTTP/1.1 200 OK\r\n\r\n", "y"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "400\r\n"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "y"),
    ] {
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let served = Served::new(move |_, stream| {
            send(stream, head);
            let chunk = if piece.len() > 1 {
                format!("{piece}{}\r\n", "y".repeat(1024))
            } else {
                piece.repeat(1024)
            };
            while stream.write_all(chunk.as_bytes()).is_ok() {
                count.fetch_add(chunk.len(), Ordering::SeqCst);
            }
            std::panic::resume_unwind(Box::new(()));
        });
        let error = refused(&served.place(), Duration::from_secs(5));
        assert_eq!(error.id, "agent-unexpected", "{head:?}");
        // Three answers of one secret and one of two, and what the system holds of each.
        assert!(sent.load(Ordering::SeqCst) < 4 << 20, "{head:?}: {sent:?}");
    }
}

#[test]
fn an_answer_that_is_slow_ends_with_the_call() {
    let vaultlet = |served: &Served| {
        with(&[("VAULTLET_AGENT", &served.place()), ("VAULTLET_TIMEOUT", "0.5")]).open().unwrap()
    };
    let silent = Served::new(|_, _| std::thread::sleep(Duration::from_secs(30)));
    let slow = Served::new(|_, stream| {
        for byte in response("200 OK", &json("s", VALUE)).bytes() {
            if stream.write_all(&[byte]).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(40));
        }
    });
    for (served, expected) in [(&silent, "timeout"), (&slow, "agent-unexpected")] {
        let since = Instant::now();
        let error = vaultlet(served).get_blocking("akv://job/s").unwrap_err();
        assert_eq!(error.id, expected, "{error}");
        assert!(error.message.starts_with("asking the agent at `unix:"), "{error}");
        assert!((500..3_000).contains(&since.elapsed().as_millis()), "{:?}", since.elapsed());
    }
}

#[test]
fn who_is_not_there_is_told_within_a_second() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("file"), "").unwrap();
    drop(UnixListener::bind(at("dead")).unwrap());
    // Nobody accepts, and as many wait as may.
    let full = UnixListener::bind(at("full")).unwrap();
    rustix::net::listen(&full, 0).unwrap();
    let waiting = UnixStream::connect(at("full")).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    std::fs::write(at("token"), "t0ken").unwrap();
    for (place, expected) in [
        (format!("unix:{}", at("none").display()), "there is no such file"),
        (format!("unix:{}/x", at("file").display()), "there is no such file"),
        (format!("unix:{}", at("file").display()), "it is not a socket"),
        (format!("unix:{}", folder.path().display()), "it is not a socket"),
        (format!("unix:{}", at("dead").display()), "nothing listens there"),
        (format!("unix:{}", at("full").display()), "accepts no connection"),
        (format!("http://{port}"), "nothing listens there"),
    ] {
        let token = at("token").display().to_string();
        let variables = [("VAULTLET_AGENT", place.as_str()), ("VAULTLET_AGENT_TOKEN_FILE", &token)];
        let since = Instant::now();
        let ended = Run::vaultlet(["get", "akv://job/s"]).environment(variables).end();
        assert!(since.elapsed() < Duration::from_secs(1), "{place}: {:?}", since.elapsed());
        assert_eq!((ended.code, ended.stdout.as_str()), (69, ""), "{}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        assert!(ended.stderr.ends_with("(agent-unreachable)\n"), "{}", ended.stderr);
    }
    drop((full, waiting));
}

#[test]
fn settings_that_are_malformed_are_named() {
    for (variables, expected) in [
        (vec![("VAULTLET_AGENT", "/run/vaultlet.sock")], "`VAULTLET_AGENT`"),
        (vec![("VAULTLET_AGENT", "https://127.0.0.1:1")], "`VAULTLET_AGENT`"),
        (vec![("VAULTLET_AGENT", "http://10.0.0.1:1")], "`VAULTLET_AGENT`"),
        (vec![("VAULTLET_AGENT", "http://127.0.0.1:1")], "`VAULTLET_AGENT_TOKEN_FILE`"),
        (
            vec![("VAULTLET_AGENT", "unix:/x"), ("VAULTLET_AGENT_FALLBACK", "maybe")],
            "`VAULTLET_AGENT_FALLBACK`",
        ),
        (vec![("VAULTLET_AGENT", "unix:/x"), ("VAULTLET_TIMEOUT", "soon")], "`VAULTLET_TIMEOUT`"),
        (vec![("VAULTLET_AGENT", "unix:/x"), ("VAULTLET_CLOUD", "mars")], "`VAULTLET_CLOUD`"),
    ] {
        let ended = Run::vaultlet(["get", "akv://job/s"]).environment(variables.clone()).end();
        assert_eq!(ended.code, 78, "{variables:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        assert!(ended.stderr.ends_with("(setting-malformed)\n"), "{}", ended.stderr);
    }
    // Nobody is asked for these.
    let unused = [("VAULTLET_AGENT", " "), ("VAULTLET_AGENT_FALLBACK", "maybe")];
    let ended = Run::vaultlet(["plan"]).environment(unused).end();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

/// The vault is asked in place of an agent that is not there or talks nonsense, and never in place of one that refuses.
#[test]
fn only_an_agent_that_cannot_be_asked_is_passed_over() {
    let local = Local::builder().seed("s", VALUE).seed("t", VALUE).start().unwrap();
    let nonsense = Served::new(|_, stream| send(stream, "nonsense\n\n"));
    let refusing = Served::new(|_, stream| {
        let error = r#"{"error":{"id":"policy-denied","kind":"denied","message":"reading `s`: no","help":"ask"}}"#;
        send(stream, &response("403 Forbidden", error));
    });
    for (place, is_passed_over) in [
        ("unix:/nowhere/agent.sock".to_owned(), true),
        (nonsense.place(), true),
        (refusing.place(), false),
    ] {
        for (fallback, may_be) in
            [("direct", true), (" Direct ", true), ("none", false), ("", false)]
        {
            let mut variables = local.environment().to_vec();
            variables.push(("VAULTLET_AGENT".into(), place.clone()));
            variables.push(("VAULTLET_AGENT_FALLBACK".into(), fallback.into()));
            let vaultlet = Vaultlet::builder().variables(variables).open().unwrap();
            let one = vaultlet.get_blocking("akv://job/s").map(|it| it.reveal().to_owned());
            let many = vaultlet.get_many_blocking(&["akv://job/s", "akv://job/t"]);
            let each = vaultlet.get_each_blocking(&["akv://job/s", "akv://job/t"]).unwrap();
            let is_direct = is_passed_over && may_be;
            assert_eq!(one.as_deref().ok(), is_direct.then_some(VALUE), "{place} {fallback}");
            assert_eq!(many.is_ok(), is_direct, "{place} {fallback}");
            assert!(each.iter().all(|it| it.is_ok() == is_direct), "{place} {fallback}");
            if let (Err(error), false) = (one, is_passed_over) {
                assert_eq!(error.to_string(), "reading `s`: no; ask (policy-denied)");
            }
        }
    }
}
