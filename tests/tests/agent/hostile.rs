//! Connections that mean the agent no good: an honest request is answered all the same, and the agent stays small.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::{Agent, SECRETS, STRANGER, VALUE, local, request, until};

/// The most that an honest request may take.
const IN_TIME: Duration = Duration::from_secs(1);

fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

/// Descriptors and kilobytes of memory of a process.
fn size(process: u32) -> (usize, u64) {
    let descriptors = fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let memory = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    (descriptors, memory)
}

fn connect(socket: &Path, sent: &[u8]) -> UnixStream {
    let mut stream = UnixStream::connect(socket).unwrap();
    // It may have been closed for another one already.
    let _ = stream.write_all(sent);
    stream
}

/// The time of the slowest of some honest requests.
fn slowest(agent: &Agent) -> Duration {
    let ask = |_| {
        let begin = Instant::now();
        assert_eq!(agent.secret("akv://job/s").value(), VALUE);
        begin.elapsed()
    };
    (0..20).map(ask).max().unwrap()
}

#[test]
fn among_600_hostile_connections_an_honest_request_is_answered_within_a_second() {
    raise_descriptor_limit();
    let local = local();
    let agent = Agent::start(&local, &[]);
    assert_eq!(agent.secret("akv://job/s").value(), VALUE);
    let process = agent.child.id();
    let (descriptors, memory) = size(process);
    let many = format!(r#"{{"references":[{}]}}"#, ["\"akv://job/s\""; 256].join(","));
    let unread = format!(
        "POST /v1/secrets HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{many}",
        many.len()
    );
    let huge = "x".repeat(1 << 20);
    let body = "POST /v1/secrets HTTP/1.1\r\nhost: localhost\r\ncontent-length: 700000\r\n\r\n{";
    let mut held = Vec::new();
    for _ in 0..120 {
        // Silent, slow in the head, slow in the body, a reader that never reads, and one that sends nonsense.
        held.push(connect(&agent.socket, b""));
        held.push(connect(&agent.socket, b"GET /v1/secret?refer"));
        held.push(connect(&agent.socket, body.as_bytes()));
        held.push(connect(&agent.socket, unread.as_bytes()));
        let stream = UnixStream::connect(&agent.socket).unwrap();
        stream.set_nonblocking(true).unwrap();
        let _ = (&stream).write(huge.as_bytes());
        held.push(stream);
    }
    assert_eq!(held.len(), 600);
    let took = slowest(&agent);
    assert!(took < IN_TIME, "{took:?}");
    // Those who send a byte now and then do not stay longer for it.
    for stream in &mut held {
        let _ = stream.set_nonblocking(true);
        let _ = stream.write(b"x");
    }
    let again = slowest(&agent);
    assert!(again < IN_TIME, "{again:?}");
    let (_, grown) = size(process);
    println!(
        "600 hostile connections: the slowest of 40 honest requests took {:?}; memory {memory} kB, then {grown} kB",
        took.max(again)
    );
    assert!(grown < memory + (64 << 10), "{memory} kB, then {grown} kB");
    drop(held);
    until("their descriptors are closed", || size(process).0 <= descriptors + 8);
    assert!(!agent.stderr().contains("panic"), "{}", agent.stderr());
}

#[test]
fn connections_that_send_nothing_are_closed_and_make_room_when_there_is_none() {
    let local = local();
    // So few descriptors that a hundred connections are all that it takes.
    let agent = Agent::start_by(&local, &[], |command| {
        use std::os::unix::process::CommandExt as _;
        #[allow(unsafe_code, reason = "limits of a child are set between fork and exec")]
        // SAFETY: the closure makes one system call.
        unsafe {
            command.pre_exec(|| {
                let limit = Rlimit { current: Some(300), maximum: Some(300) };
                Ok(setrlimit(Resource::Nofile, limit)?)
            });
        }
    });
    assert_eq!(agent.secret("akv://job/s").value(), VALUE);
    let silent: Vec<_> = (0..400).map(|_| connect(&agent.socket, b"")).collect();
    let took = slowest(&agent);
    assert!(took < IN_TIME, "{took:?}");
    // The last of them was closed after some seconds, without a word.
    for mut stream in silent.into_iter().rev().take(3) {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        assert!(matches!(stream.read(&mut [0; 16]), Ok(0)), "it is open still");
    }
    assert_eq!(agent.secret("akv://job/s").value(), VALUE);
}

#[test]
fn foreign_users_who_connect_without_end_delay_nobody() {
    if !rustix::process::geteuid().is_root() {
        return vaultlet_tests::sandbox::skipped("foreign_users_who_connect", "not root");
    }
    let local = local();
    let agent = Agent::start(&local, &[]);
    // The policy might name other users.
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(&agent.socket, fs::Permissions::from_mode(0o666)).unwrap();
    let script = "
import socket, sys
held = []
while True:
    for _ in range(300):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(5)
        try:
            s.connect(sys.argv[1])
            s.send(b'GET /v1/secret?reference=akv://job/s HTTP/1.1\\r\\nhost: localhost\\r\\n\\r\\n')
        except OSError:
            pass
        held.append(s)
    for s in held:
        try:
            got = s.recv(1000)
        except OSError:
            got = b''
        assert not got, got
    held.clear()
    print('round', flush=True)
";
    let mut flood = Command::new("setpriv");
    flood.args(STRANGER).args(["/usr/bin/env", "python3", "-c", script]).arg(&agent.socket);
    let mut flood = flood.stdout(Stdio::piped()).spawn().unwrap();
    let mut rounds = std::io::BufReader::new(flood.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut rounds, &mut line).unwrap();
    assert_eq!(line, "round\n");
    let took = slowest(&agent);
    assert!(took < IN_TIME, "{took:?}");
    std::io::BufRead::read_line(&mut rounds, &mut line).unwrap();
    assert!(flood.try_wait().unwrap().is_none(), "they were answered");
    flood.kill().unwrap();
    flood.wait().unwrap();
}

/// `VAULTLET_TEST_SOAK` sets the seconds: 60 in the gate, beside the tests (`.ci/run churn`). What the agent takes is told
/// at the beginning, ten times meanwhile, and at the end.
#[test]
fn descriptors_and_memory_stay_as_they_are_while_connections_come_and_go() {
    let seconds = std::env::var("VAULTLET_TEST_SOAK").ok().and_then(|it| it.parse().ok());
    let time = Duration::from_secs(seconds.unwrap_or(3));
    let local = local();
    let agent = Agent::start(&local, &["--ttl", "1"]);
    let process = agent.child.id();
    let connections = AtomicU64::new(0);
    let churn = |time: Duration| {
        let end = Instant::now() + time;
        std::thread::scope(|scope| {
            for worker in 0..4 {
                let (agent, connections) = (&agent, &connections);
                scope.spawn(move || {
                    while Instant::now() < end {
                        connections.fetch_add(1, Ordering::Relaxed);
                        match worker {
                            0 => drop(connect(&agent.socket, b"GET /v1/sec")),
                            1 => drop(connect(&agent.socket, request("/v1/status", "").as_bytes())),
                            2 => drop(
                                agent.post(r#"{"references":["akv://job/s","akv://job/json"]}"#),
                            ),
                            _ => assert_eq!(agent.secret("akv://job/s").value(), VALUE),
                        }
                    }
                });
            }
        });
    };
    // What the agent takes at its fullest, it keeps for the next time.
    let few = size(process).0 + 8;
    let crowd: Vec<_> = (0..500)
        .map(|at| match at % 2 {
            0 => connect(&agent.socket, b"GET /v1/sec"),
            _ => connect(&agent.socket, request("/v1/status", "").as_bytes()),
        })
        .collect();
    churn(Duration::from_secs(2));
    drop(crowd);
    until("the crowd has gone", || size(process).0 <= few);
    let (descriptors, memory) = size(process);
    let begun = Instant::now();
    let tell = || {
        let (descriptors, memory) = size(process);
        let count = connections.load(Ordering::Relaxed);
        println!(
            "churn: {} s, {count} connections: {memory} kB, {descriptors} descriptors",
            begun.elapsed().as_secs()
        );
    };
    tell();
    for _ in 0..10 {
        churn(time / 10);
        tell();
    }
    until("the last ones are closed", || size(process).0 <= descriptors + 8);
    tell();
    let (_, grown) = size(process);
    assert!(grown < memory + (16 << 10), "{memory} kB, then {grown} kB");
    let stderr = agent.stderr();
    assert!(SECRETS.iter().all(|secret| !stderr.contains(secret)));
}
