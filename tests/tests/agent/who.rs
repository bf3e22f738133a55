//! Whom the agent answers.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::vault::Writer;
use vaultlet_tests::{Ended, Run};

use crate::support::{
    Agent, Answer, SECRETS, STRANGER, VALUE, copy_of_program, folder, local, request, send,
    send_to_port, until,
};

/// Asks as another user, by curl.
fn ask_as(user: &[&str], socket: &Path) -> Ended {
    let mut curl = Command::new("setpriv");
    curl.args(user).args([
        "curl",
        "-sS",
        "--max-time",
        "20",
        "-w",
        "\n%{http_code}",
        "--unix-socket",
    ]);
    curl.arg(socket).arg("http://localhost/v1/secret?reference=akv://job/s");
    Ended::from(curl.output().unwrap())
}

#[test]
fn a_user_whom_the_policy_does_not_name_is_not_answered_and_root_is_not_special() {
    if !rustix::process::geteuid().is_root() {
        return skipped("a_user_whom_the_policy_does_not_name", "not root");
    }
    let local = local();
    let policy = folder();
    let file = policy.path().join("policy.toml");
    let rule = |users: &str| {
        let text = format!("[[allow]]\nreference = \"akv://job/*\"\nuser = [{users}]\n");
        fs::write(&file, text).unwrap();
    };
    rule("\"61472\"");
    let agent = Agent::start(&local, &["--policy", file.to_str().unwrap()]);
    let mode = |agent: &Agent| fs::metadata(&agent.socket).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&agent), 0o666);
    let ended = ask_as(&STRANGER, &agent.socket);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains(VALUE) && ended.stdout.ends_with("\n200"));
    let other = ["--reuid=61473", "--regid=61472", "--clear-groups"];
    for _ in 0..2 {
        let ended = ask_as(&other, &agent.socket);
        ended.reveals_none_of(&SECRETS, true);
        assert_ne!(ended.code, 0, "answered: {}", ended.stdout);
        assert_eq!(ended.stdout, "\n000");
    }
    // Our own user is answered, and has no more than the rules give.
    let denied = agent.secret("akv://job/s").error();
    assert_eq!(denied, (403, "denied".into(), "policy-denied".into()));
    let metrics = agent.get("/metrics").body;
    assert!(metrics.contains("\nvaultlet_agent_refused_connections_total 2\n"), "{metrics}");
    // A policy that names nobody else closes the socket again.
    rule("\"root\"");
    agent.signal("HUP");
    until("the policy is read again", || mode(&agent) == 0o600);
    assert_eq!(agent.secret("akv://job/s").value(), VALUE);
    assert_ne!(ask_as(&STRANGER, &agent.socket).code, 0);
}

#[test]
fn a_user_whom_the_policy_names_no_more_is_not_answered_on_an_old_connection() {
    if !rustix::process::geteuid().is_root() {
        return skipped("a_user_whom_the_policy_names_no_more", "not root");
    }
    let local = local();
    let policy = folder();
    let file = policy.path().join("policy.toml");
    let rule = |user: &str| {
        let text = format!("[[allow]]\nreference = \"akv://job/*\"\nuser = [\"{user}\"]\n");
        fs::write(&file, text).unwrap();
    };
    rule("61472");
    let get = Run::vaultlet(["get", "-o", "json", "akv://job/s"]);
    let get = get.environment(local.environment().iter().cloned()).end().stdout;
    let get: serde_json::Value = serde_json::from_str(&get).unwrap();
    let agent = Agent::start(&local, &["--policy", file.to_str().unwrap()]);
    // Waits for a new version, and asks for the rest on the same connection.
    let version = get["version"].as_str().unwrap();
    let waits = format!("v1/secret?reference=akv://job/s&after={version}&wait=300");
    let mut curl = Command::new("setpriv");
    curl.args(STRANGER).args(["curl", "-s", "-w", "\n%{http_code}\n", "--unix-socket"]);
    curl.arg(&agent.socket).stdout(Stdio::piped());
    let paths = [&waits, "v1/status", "healthz", "metrics"];
    curl.args(paths.map(|path| format!("http://localhost/{path}")));
    let curl = curl.spawn().unwrap();
    until("it waits", || agent.status()["secrets"] == 1);
    rule("root");
    Writer::new(&local).set("s", "a-n3w-value");
    agent.signal("HUP");
    let ended = Ended::from(curl.wait_with_output().unwrap());
    let answers: Vec<_> = ended.stdout.lines().filter(|line| !line.is_empty()).collect();
    assert!(answers[0].contains("policy-denied"), "{answers:?}");
    assert_eq!(answers[1..], ["403", "000", "000", "000"]);
}

#[test]
fn the_agent_of_another_user_does_not_answer_root() {
    if !rustix::process::geteuid().is_root() {
        return skipped("the_agent_of_another_user_does_not_answer_root", "not root");
    }
    let folder = folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let program = copy_of_program(folder.path());
    let socket = folder.path().join("agent.sock");
    let mut command = Command::new("setpriv");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.args(STRANGER).arg(&program).args(["agent", "--socket"]).arg(&socket);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    until("it serves", || {
        // Its own user is answered.
        let mut curl = Command::new("setpriv");
        curl.args(STRANGER).args(["curl", "-s", "--unix-socket"]).arg(&socket);
        curl.arg("http://localhost/healthz").output().unwrap().stdout == b"ok\n"
    });
    let answer = send(&socket, &request("/healthz", ""));
    assert_eq!((answer.status, answer.body.as_str()), (0, ""), "root was answered");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn requests_that_a_browser_or_a_proxy_sends_are_refused() {
    let local = local();
    let agent = Agent::start(&local, &[]);
    let ask = |line: &str, host: &str, headers: &str| {
        let text = format!("GET {line} HTTP/1.1\r\n{host}{headers}connection: close\r\n\r\n");
        send(&agent.socket, &text)
    };
    let target = "/v1/secret?reference=akv://job/s";
    for host in ["host: localhost\r\n", "Host: LOCALHOST\r\n", "host:\r\n", "host: \r\n"] {
        assert_eq!(ask(target, host, "").value(), VALUE, "{host}");
    }
    let here = "host: localhost\r\n";
    for (line, host, headers) in [
        (target, here, "Origin: http://evil.example\r\n"),
        (target, here, "origin:\r\n"),
        (target, here, "origin: null\r\n"),
        (target, here, "X-Forwarded-For: 127.0.0.1\r\n"),
        (target, here, "x-forwarded-for:\r\n"),
        (target, here, "Forwarded: for=127.0.0.1\r\n"),
        (target, "host: evil.example\r\n", ""),
        (target, "host: localhost.evil.example\r\n", ""),
        (target, "host: localhost:80\r\n", ""),
        (target, "host: 127.0.0.1\r\n", ""),
        ("http://evil.example/v1/secret?reference=akv://job/s", here, ""),
        ("/healthz", "host: evil.example\r\n", ""),
        ("/no/such/path", here, "origin: x\r\n"),
    ] {
        let answer = ask(line, host, headers);
        assert_eq!(answer.error().0, 403, "{line} {host} {headers}");
        assert_eq!(answer.error().1, "denied");
    }
    for (host, status) in [("", 400), ("host: localhost\r\nhost: localhost\r\n", 400)] {
        assert_eq!(ask(target, host, "").error().0, status, "{host}");
    }
    assert!(!agent.stderr().contains("evil"), "{}", agent.stderr());
}

#[test]
fn a_port_answers_those_who_have_the_token_and_everyone_else_alike() {
    let local = local();
    let folder = folder();
    let file = folder.path().join("token");
    fs::write(&file, " t0ken-of-the-agent\n").unwrap();
    let file = file.to_str().unwrap().to_owned();
    let mut agent = Agent::start(
        &local,
        &["--http", "127.0.0.1:0", "--token-file", &file, "--metrics", "127.0.0.1:0"],
    );
    assert!(agent.line.starts_with("export VAULTLET_AGENT=unix:"));
    until("it says its ports", || agent.stderr().matches("127.0.0.1:").count() == 2);
    let stderr = agent.stderr();
    let port = |start: &str| {
        let rest = stderr.split_once(start).unwrap().1;
        let port = rest.split(['/', '\n']).next().unwrap();
        port.to_owned()
    };
    let (http, metrics) = (port("serving at http://"), port("metrics at http://"));
    let ask = |target: &str, headers: &str| {
        let text =
            format!("GET {target} HTTP/1.1\r\nhost: {http}\r\n{headers}connection: close\r\n\r\n");
        send_to_port(&http, &text)
    };
    let mut texts = Vec::new();
    for target in ["/v1/secret?reference=akv://job/s", "/v1/status", "/metrics", "/healthz", "/x"] {
        for headers in [
            "",
            "authorization: Bearer\r\n",
            "authorization: Bearer \r\n",
            "authorization: Bearer t0ken-of-the-agenT\r\n",
            "authorization: Bearer t0ken-of-the-agent-and-more\r\n",
            "authorization: Bearer t0ken\r\n",
            "authorization: Basic t0ken-of-the-agent\r\n",
            "authorization: t0ken-of-the-agent\r\n",
            "authorization: Bearer x\r\nauthorization: Bearer t0ken-of-the-agent\r\n",
        ] {
            let answer: Answer = ask(target, headers);
            assert_eq!(answer.error().0, 401, "{target} {headers}");
            assert!(answer.headers.contains("\nwww-authenticate: bearer"), "{answer:?}");
            texts.push(answer.body);
        }
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "one text for all: {texts:?}");
    let token = "authorization: bearer t0ken-of-the-agent\r\n";
    assert_eq!(ask("/v1/secret?reference=akv://job/s", token).value(), VALUE);
    assert_eq!(ask("/x", token).status, 404);
    for (host, status) in [
        (http.clone(), 200),
        (http.replace("127.0.0.1", "localhost"), 200),
        ("127.0.0.1".into(), 403),
        ("evil.example".into(), 403),
        (String::new(), 403),
    ] {
        let text =
            format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\n{token}connection: close\r\n\r\n");
        assert_eq!(send_to_port(&http, &text).status, status, "{host}");
    }
    let origin = ask("/healthz", &format!("{token}origin:\r\n"));
    assert_eq!(origin.status, 403);
    // The metrics need no token, and nothing else is served there.
    for (target, status) in [
        ("/metrics", 200),
        ("/healthz", 200),
        ("/v1/status", 404),
        ("/v1/secret?reference=akv://job/s", 404),
    ] {
        let text =
            format!("GET {target} HTTP/1.1\r\nhost: node-7:9464\r\nconnection: close\r\n\r\n");
        assert_eq!(send_to_port(&metrics, &text).status, status, "{target}");
    }
    // The token is read again, and a broken file changes nothing.
    fs::write(&file, "an0ther-token").unwrap();
    agent.signal("HUP");
    until("the new token", || {
        ask("/healthz", "authorization: Bearer an0ther-token\r\n").status == 200
    });
    assert_eq!(ask("/healthz", token).status, 401);
    fs::write(&file, "two words").unwrap();
    agent.signal("HUP");
    until("it says so", || agent.stderr().contains("(agent-token-file)"));
    assert_eq!(ask("/healthz", "authorization: Bearer an0ther-token\r\n").status, 200);
    for secret in ["t0ken-of", "an0ther", "two words"] {
        assert!(!agent.stderr().contains(secret), "a token is on stderr");
    }
    let _ = agent.child.kill();
}

#[test]
fn without_a_socket_the_port_and_the_token_file_are_printed() {
    use std::io::{BufRead as _, BufReader};
    let local = local();
    let folder = folder();
    let file = folder.path().join("token");
    fs::write(&file, "t0ken-of-the-agent").unwrap();
    let mut command = crate::support::program(&local, vaultlet_tests::vaultlet());
    command.args(["agent", "--http", "localhost:0", "--token-file"]).arg(&file);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.next().unwrap();
    let address = line.strip_prefix("export VAULTLET_AGENT=http://").unwrap();
    let line = lines.next().unwrap();
    assert_eq!(line, format!("export VAULTLET_AGENT_TOKEN_FILE={}", file.display()));
    let text = format!(
        "GET /healthz HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer t0ken-of-the-agent\r\n\
         connection: close\r\n\r\n"
    );
    assert_eq!(send_to_port(address, &text).body, "ok\n");
    child.kill().unwrap();
    child.wait().unwrap();
}
