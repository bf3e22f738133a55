//! Whose socket is asked: that of this user or of root, and nobody else's.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Run, vaultlet};

use crate::giving;

const STRANGER: u32 = 61_472;

/// A file of somebody else's, and a file of ours at which somebody else listens.
#[test]
fn a_strangers_socket_is_not_asked() {
    if !rustix::process::geteuid().is_root() {
        return skipped("sockets of other users", "it takes root");
    }
    let served = giving();
    let place = served.place();
    let variables = [("VAULTLET_AGENT", place.as_str()), ("VAULTLET_AGENT_FALLBACK", "direct")];
    let get = || Run::vaultlet(["get", "akv://job/s"]).environment(variables).end();
    assert_eq!(get().code, 0);
    chown(served.socket(), Some(STRANGER), None).unwrap();
    let asked = served.connected();
    let ended = get();
    assert_eq!((ended.code, served.connected()), (78, asked), "{}", ended.stderr);
    assert!(ended.stderr.contains("the socket's file belongs to user 61472"), "{}", ended.stderr);
    assert!(ended.stderr.ends_with("(agent-untrusted)\n"), "{}", ended.stderr);

    // Of root's own socket, which others may not write to, another user is told what to do.
    chown(served.socket(), Some(0), None).unwrap();
    fs::set_permissions(served.socket(), Permissions::from_mode(0o600)).unwrap();
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("vaultlet");
    fs::copy(vaultlet(), &program).unwrap();
    let (program, users) = (program.to_str().unwrap(), ["--reuid=61472", "--regid=61472"]);
    let arguments = [&users[..], &["--clear-groups", program, "get", "akv://job/s"]].concat();
    let ended = Run::program("setpriv").arguments(arguments);
    let ended = ended.environment([("VAULTLET_AGENT", place.as_str())]).end();
    assert_eq!(ended.code, 69, "{ended:?}");
    for part in ["permission denied", "name this user", "(agent-unreachable)"] {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }

    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("s");
    chown(folder.path(), Some(STRANGER), None).unwrap();
    let listen = "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen()\nprint(flush=True)\n\
        c, _ = s.accept()\nprint(len(c.recv(99)))";
    let mut stranger = Command::new("setpriv");
    // An interpreter that others may run.
    stranger.env("PATH", "/usr/bin:/bin").args([
        "--reuid=61472",
        "--regid=61472",
        "--clear-groups",
    ]);
    stranger.args(["python3", "-c", listen]).arg(&socket);
    let mut stranger = stranger.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(stranger.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "\n", "nobody listens");
    chown(&socket, Some(0), None).unwrap();
    let place = format!("unix:{}", socket.display());
    let ended =
        Run::vaultlet(["get", "akv://job/s"]).environment([("VAULTLET_AGENT", place)]).end();
    assert_eq!(ended.code, 78, "{}", ended.stderr);
    assert!(ended.stderr.contains("who listens there is user 61472"), "{}", ended.stderr);
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}
