//! Where the agent listens.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};

use vaultlet_tests::{Ended, Run, vaultlet};

use crate::support::{Agent, STRANGER, VALUE, copy_of_program, folder, get, local, program, until};

/// The end of an agent that must not serve.
fn refused(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let arguments = ["agent"].iter().chain(arguments);
    Run::vaultlet(arguments).environment(variables.iter().copied()).end()
}

#[test]
fn it_serves_on_the_socket_that_it_prints_and_removes_it_at_the_end() {
    let local = local();
    let agent = Agent::start(&local, &[]);
    let socket = agent.socket.clone();
    assert_eq!(agent.line, format!("export VAULTLET_AGENT=unix:{}\n", socket.display()));
    let mode = fs::symlink_metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(agent.secret("akv://job/s").value(), VALUE);
    agent.signal("TERM");
    let ended = agent.ended();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(!socket.exists());
    ended.reveals_none_of(&[VALUE], true);
}

/// The default of a user, which is not that of root.
#[test]
fn the_default_is_in_the_runtime_folder_of_a_user_and_without_one_a_flag_is_needed() {
    if !rustix::process::geteuid().is_root() {
        return vaultlet_tests::sandbox::skipped(
            "the_default_is_in_the_runtime_folder",
            "not root",
        );
    }
    let folder = folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let program = copy_of_program(folder.path());
    let start = |variables: &[(&str, &Path)]| {
        let mut command = Command::new("setpriv");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.args(STRANGER).arg(&program).arg("agent");
        command.envs(variables.iter().copied()).stderr(Stdio::piped());
        command
    };
    let ended = Ended::from(start(&[]).output().unwrap());
    assert_eq!(ended.code, 64, "{}", ended.stderr);
    assert!(ended.stderr.contains("`--socket` is needed"), "{}", ended.stderr);
    let mut child =
        start(&[("XDG_RUNTIME_DIR", folder.path())]).stdout(Stdio::null()).spawn().unwrap();
    let socket = folder.path().join("vaultlet.sock");
    until("the default socket", || UnixStream::connect(&socket).is_ok());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_socket_of_a_dead_agent_is_replaced_and_that_of_a_live_one_is_not() {
    let local = local();
    let folder = folder();
    let socket = folder.path().join("agent.sock");
    let text = socket.to_str().unwrap();
    let mut first = Agent::start_at(&local, self::folder(), &socket, &[], |_| {});
    let ended = refused(&["--socket", text], &[]);
    assert_eq!(ended.code, 73, "{}", ended.stderr);
    assert!(ended.stderr.contains("another agent serves there"), "{}", ended.stderr);
    assert!(ended.stderr.trim_end().ends_with("(agent-socket)"), "{}", ended.stderr);
    assert_eq!(first.secret("akv://job/s").value(), VALUE);
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    assert!(socket.exists(), "a killed agent leaves its socket");
    let second = Agent::start_at(&local, self::folder(), &socket, &[], |_| {});
    assert_eq!(second.secret("akv://job/s").value(), VALUE);
    // Nor that of another program.
    let other = folder.path().join("other.sock");
    let _listener = UnixListener::bind(&other).unwrap();
    let ended = refused(&["--socket", other.to_str().unwrap()], &[]);
    assert_eq!(ended.code, 73, "{}", ended.stderr);
    assert!(other.exists());
    // Nor one of another kind, to which no connection can be made.
    let other = folder.path().join("datagrams.sock");
    let _socket = UnixDatagram::bind(&other).unwrap();
    let ended = refused(&["--socket", other.to_str().unwrap(), "--", "true"], &[]);
    assert_eq!(ended.code, 73, "{}", ended.stderr);
    assert!(ended.stderr.contains("a socket of another program is there"), "{}", ended.stderr);
    assert!(other.exists());
}

/// A live agent's socket lets no other user connect.
#[test]
fn the_socket_of_another_user_is_not_replaced() {
    if !rustix::process::geteuid().is_root() {
        return vaultlet_tests::sandbox::skipped("the_socket_of_another_user", "not root");
    }
    let local = local();
    let folder = folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let program = copy_of_program(folder.path());
    let socket = folder.path().join("agent.sock");
    let agent = Agent::start_at(&local, self::folder(), &socket, &[], |_| {});
    let mut command = Command::new("setpriv");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.args(STRANGER).arg(&program).args(["agent", "--socket"]).arg(&socket);
    let ended = Ended::from(command.args(["--", "true"]).output().unwrap());
    assert_eq!(ended.code, 73, "{}", ended.stderr);
    assert!(ended.stderr.contains("a socket of another user is there"), "{}", ended.stderr);
    assert_eq!(agent.secret("akv://job/s").value(), VALUE);
}

#[test]
fn a_place_that_cannot_be_had_is_73_and_nothing_that_is_there_is_touched() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "precious").unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let long = folder.path().join("x".repeat(120));
    let absent = folder.path().join("no-such-folder/agent.sock");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    let token = folder.path().join("token");
    fs::write(&token, "t0ken").unwrap();
    let token = token.to_str().unwrap();
    let path = |path: &Path| vec!["--socket".to_owned(), path.to_str().unwrap().to_owned()];
    let http = ["--http", &port, "--token-file", token].map(ToOwned::to_owned).to_vec();
    for (arguments, what) in [
        (path(&absent), "its folder does not exist"),
        (path(&file), "something else than a socket is there"),
        (path(&link), "something else than a socket is there"),
        (path(folder.path()), "something else than a socket is there"),
        (path(&long), "bytes, of at most 10"),
        (http, "address already in use"),
    ] {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let ended = refused(&arguments, &[]);
        assert_eq!(ended.code, 73, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(what), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("(agent-socket)"), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn of_agents_that_start_at_once_one_serves_and_the_others_say_so() {
    let local = local();
    for round in 0..3 {
        let folder = folder();
        let socket = folder.path().join("agent.sock");
        if round > 0 {
            // What a dead agent has left.
            drop(UnixListener::bind(&socket).unwrap());
        }
        let start = || {
            let mut command = program(&local, vaultlet());
            command.arg("agent").arg("--socket").arg(&socket);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let mut agents: Vec<_> = (0..6).map(|_| start()).collect();
        let mut codes = Vec::new();
        until("all but one end", || UnixStream::connect(&socket).is_ok());
        while codes.len() < 5 {
            let before = agents.len();
            agents.retain_mut(|agent| match agent.try_wait().unwrap() {
                Some(code) => {
                    codes.push(code.code());
                    false
                }
                None => true,
            });
            assert!(!agents.is_empty() || before == 0, "none serves: {codes:?}");
            std::thread::yield_now();
        }
        assert_eq!(codes, [Some(73); 5]);
        assert_eq!(get(&socket, "/healthz").body, "ok\n");
        for mut agent in agents {
            agent.kill().unwrap();
            agent.wait().unwrap();
        }
    }
}

#[test]
fn a_command_finds_the_agent_and_the_agent_ends_with_it() {
    let local = local();
    let folder = folder();
    let socket = folder.path().join("agent.sock");
    let run = |script: &str| {
        let mut command = program(&local, "sh");
        command.args(["-c", "ulimit -Sn 777; exec \"$@\"", "sh"]).arg(vaultlet());
        command.arg("agent").arg("--socket").arg(&socket).args(["--", "sh", "-c", script]);
        Ended::from(command.output().unwrap())
    };
    let ended =
        run("echo $VAULTLET_AGENT; ulimit -n; curl -s --unix-socket ${VAULTLET_AGENT#unix:} \
         http://localhost/healthz; exit 7");
    assert_eq!(ended.code, 7, "{}", ended.stderr);
    assert_eq!(ended.stdout, format!("unix:{}\n777\nok\n", socket.display()));
    assert_eq!(ended.stderr, "");
    assert!(!socket.exists());
    let ended = run("kill -TERM $PPID; exec sleep 60");
    assert_eq!(ended.code, 143, "the signal is passed on");
    let ended = run("exec no-such-program");
    assert_eq!(ended.code, 127);
}

#[test]
fn the_service_manager_gives_sockets_and_hears_that_they_are_served() {
    let local = local();
    let folder = folder();
    let (socket, told) = (folder.path().join("given.sock"), folder.path().join("told.sock"));
    let listener = UnixListener::bind(&socket).unwrap();
    let manager = UnixDatagram::bind(&told).unwrap();
    // Descriptor 3 is the socket; the shell has the number that `LISTEN_PID` must be.
    let mut command = program(&local, "sh");
    command.args(["-c", "LISTEN_PID=$$ exec \"$0\" agent --log debug 3<&0 0</dev/null"]);
    command.arg(vaultlet()).env("LISTEN_FDS", "1").env("NOTIFY_SOCKET", &told);
    command.stdin(std::os::fd::OwnedFd::from(listener.try_clone().unwrap()));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let hear = || {
        let mut text = [0; 256];
        let length = manager.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).into_owned()
    };
    assert_eq!(hear(), "READY=1\n");
    assert_eq!(get(&socket, "/v1/secret?reference=akv://job/s").value(), VALUE);
    vaultlet_tests::kill(child.id(), "HUP");
    assert!(hear().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(hear(), "READY=1\n");
    vaultlet_tests::kill(child.id(), "TERM");
    assert_eq!(hear(), "STOPPING=1\n");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!(ended.stdout, "", "the manager needs no line");
    assert!(fs::symlink_metadata(&socket).unwrap().file_type().is_socket(), "it is the manager's");
}

#[test]
fn a_port_is_on_loopback_and_needs_a_token() {
    let folder = folder();
    let token = folder.path().join("token");
    fs::write(&token, "t0ken\n").unwrap();
    let empty = folder.path().join("empty");
    fs::write(&empty, " \n").unwrap();
    let (token, empty) = (token.to_str().unwrap(), empty.to_str().unwrap());
    for (arguments, variables, code, what) in [
        (vec!["--http", "127.0.0.1:0"], vec![], 64, "`--http` needs `--token-file`"),
        (vec!["--token-file", token], vec![], 64, "`--token-file` needs `--http`"),
        (
            vec!["--http", "0.0.0.0:0", "--token-file", token],
            vec![],
            64,
            "`--http` is not on loopback",
        ),
        (vec!["--token-file", token], vec![("VAULTLET_HTTP", "[::]:0")], 78, "`VAULTLET_HTTP`"),
        (vec!["--http", "8200", "--token-file", token], vec![], 64, "no IP address and port"),
        (vec!["--http", "127.0.0.1:0", "--token-file", empty], vec![], 78, "it is empty"),
        (vec!["--http", "127.0.0.1:0", "--token-file", "/no/such"], vec![], 78, "no such file"),
        (vec!["--ttl", "0"], vec![], 64, "from 0.1 to"),
        (vec!["--stale=-1"], vec![], 64, "from 0 to"),
        (vec!["--rate", "x"], vec![], 64, "requests a second"),
        (vec![], vec![("VAULTLET_TTL", "5m")], 78, "`VAULTLET_TTL`"),
        (vec!["--metrics", "x"], vec![], 64, "no IP address and port"),
        (vec!["--allow", "akv://"], vec![], 64, "--allow"),
        (vec!["--policy", "/no/such/policy"], vec![], 78, "/no/such/policy"),
    ] {
        let ended = refused(&arguments, &variables);
        assert_eq!(ended.code, code, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(what), "{arguments:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains("t0ken"), "{}", ended.stderr);
    }
}

/// The units that packages bring, with the program of this test in place of the installed one.
#[test]
fn the_units_for_systemd_are_good() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return vaultlet_tests::sandbox::skipped("the_units_for_systemd", "no `systemd-analyze`");
    }
    let folder = folder();
    let analyze = |arguments: &[&str]| {
        let mut command = Command::new("systemd-analyze");
        command.args(arguments).current_dir(folder.path());
        Ended::from(command.output().unwrap())
    };
    let units = ["vaultlet-agent.socket", "vaultlet-agent.service"];
    for name in units {
        let text = vaultlet_tests::root().join("host/packaging/systemd").join(name);
        let text = fs::read_to_string(text).unwrap();
        let is_started = text.contains("ExecStart=/usr/bin/vaultlet agent ");
        assert_eq!(is_started, name.ends_with(".service"), "{name}");
        let program = vaultlet().to_str().unwrap();
        fs::write(folder.path().join(name), text.replace("/usr/bin/vaultlet", program)).unwrap();
    }
    let verify = analyze(&["verify", "--man=no", units[0], units[1]]);
    let told: Vec<_> =
        verify.stderr.lines().filter(|line| line.contains("vaultlet-agent")).collect();
    assert!(verify.code == 0 && told.is_empty(), "{}", verify.stderr);
    // 10 is a service without any protection. The agent opens connections and has two rights of root: 2.7.
    let security = analyze(&["security", "--offline=yes", "--threshold=30", units[1]]);
    assert_eq!(security.code, 0, "{}", security.stdout);
}

#[test]
fn the_default_of_root_is_in_run() {
    // In a mount namespace, so that nobody else's socket is in the way.
    let script = "mount -t tmpfs none /run && exec \"$0\" agent -- sh -c 'echo $VAULTLET_AGENT'";
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c", script]).arg(vaultlet());
    command.env("XDG_RUNTIME_DIR", "/run/user/0");
    let ended = Ended::from(command.output().unwrap());
    if ended.code != 0 && !rustix::process::geteuid().is_root() {
        return vaultlet_tests::sandbox::skipped("the_default_of_root_is_in_run", "not root");
    }
    assert_eq!(ended.stdout, "unix:/run/vaultlet.sock\n", "{}", ended.stderr);
}
