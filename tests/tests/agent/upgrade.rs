//! An agent that is started anew while programs ask it, as an upgrade does: the socket of the service manager stays, so no
//! program hears of it.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use vaultlet_host::Vaultlet;
use vaultlet_tests::{Ended, Run, vaultlet};

use crate::support::{VALUE, folder, local, program, until};

/// Programs that ask without a pause.
const PROGRAMS: usize = 8;
const RESTARTS: usize = 3;

/// A program that does not outlive the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ends the threads of a test, however it ends.
pub(crate) struct Ends<'a>(pub(crate) &'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// An agent on the socket of a service manager, which is its descriptor 3.
fn start(local: &vaultlet_dev::Local, listener: &UnixListener) -> Killed {
    let mut command = program(local, "sh");
    command.args(["-c", "LISTEN_PID=$$ exec \"$0\" agent 3<&0 0</dev/null"]).arg(vaultlet());
    command.env("LISTEN_FDS", "1").stdin(OwnedFd::from(listener.try_clone().unwrap()));
    Killed(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

#[test]
fn no_request_is_lost_while_the_agent_of_a_service_manager_is_started_anew() {
    let local = local();
    let folder = folder();
    let socket = folder.path().join("agent.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let place = format!("unix:{}", socket.display());
    let (is_over, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut agent = start(&local, &listener);
    std::thread::scope(|scope| {
        let _ends = Ends(&is_over);
        for at in 0..PROGRAMS {
            let (place, is_over, done) = (&place, &is_over, &done);
            scope.spawn(move || {
                // One of them is a program that is started for each secret; the others keep their connections.
                let handle = Vaultlet::builder().agent(place.clone()).open().unwrap();
                while !is_over.load(Ordering::Relaxed) {
                    if at == 0 {
                        let run = Run::vaultlet(["get", "akv://job/s"]);
                        let ended = run.environment([("VAULTLET_AGENT", place)]).end();
                        assert_eq!(
                            (ended.code, ended.stdout.trim_end()),
                            (0, VALUE),
                            "{}",
                            ended.stderr
                        );
                    } else {
                        let secret = handle.get_blocking("akv://job/s");
                        assert_eq!(
                            secret.unwrap_or_else(|error| panic!("{error}")).reveal(),
                            VALUE
                        );
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..RESTARTS {
            let before = done.load(Ordering::Relaxed);
            until("programs are served", || done.load(Ordering::Relaxed) > before + 100);
            vaultlet_tests::kill(agent.0.id(), "TERM");
            let began = Instant::now();
            assert_eq!(agent.0.wait().unwrap().code(), Some(0));
            let took = began.elapsed();
            agent = start(&local, &listener);
            // However many programs go on asking, it ends when those that had connected are served.
            assert!(took < Duration::from_secs(5), "it took {took:?} to end");
        }
        let before = done.load(Ordering::Relaxed);
        until("programs are served", || done.load(Ordering::Relaxed) > before + 100);
    });
}

/// The protocol has a version in its paths, and members that a client does not know are none of its business.
#[test]
fn a_client_of_this_version_understands_an_agent_of_a_later_one() {
    use vaultlet_tests::server::{Answer, Server};
    let server = Server::plain(|request| {
        if !request.target.starts_with("/v1/") {
            return Answer::status(404);
        }
        Answer::json(
            200,
            r#"{"reference":"akv://job/s","vault":"job.vault.azure.net","name":"s","value":"of-a-later-agent",
            "version":"0123456789abcdef0123456789abcdef","lease":{"of":["later"]},"stale":false}"#,
        )
        .header("x-later", "1")
    });
    let folder = folder();
    let token = folder.path().join("token");
    std::fs::write(&token, "t0ken").unwrap();
    let place = format!("http://127.0.0.1:{}", server.port());
    let mut command = Command::new(vaultlet());
    command.env_clear().env("VAULTLET_AGENT", place).env("VAULTLET_AGENT_TOKEN_FILE", token);
    let ended = Ended::from(command.args(["get", "akv://job/s"]).output().unwrap());
    assert_eq!((ended.code, ended.stdout.trim_end()), (0, "of-a-later-agent"), "{}", ended.stderr);
}
