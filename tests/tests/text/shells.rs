//! What a shell gets that evaluates output: a command that is interrupted ends it, too.

use std::net::TcpListener;
use std::process::Stdio;

use vaultlet_tests::Ended;

use crate::{SECRETS, command, local};

#[test]
fn a_shell_that_evaluates_an_interrupted_command_does_not_go_on() {
    let local = local();
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        // A vault that never answers.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let reference = format!("akv://x.localhost:{}/y", silent.local_addr().unwrap().port());
        let variable = format!("A={reference}");
        for arguments in [
            ["get", "-o", "env", reference.as_str()].as_slice(),
            &["get", "-o", "env", &variable],
            &["export", "-f", "sh", "-e", &variable],
        ] {
            let mut command = command(&local, arguments);
            let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let _connected = silent.accept().unwrap();
            vaultlet_tests::kill(child.id(), signal);
            let ended = Ended::from(child.wait_with_output().unwrap());
            let expected = (code, format!("(exit {code})\n"));
            assert_eq!((ended.code, ended.stdout.clone()), expected, "{arguments:?}");
            ended.reveals_none_of(&SECRETS, true);
        }
    }
}
