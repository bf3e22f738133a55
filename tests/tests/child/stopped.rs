//! Stopping and continuing: the wrapper and its command do both together, whoever of them is meant.

use crate::WAIT;
use crate::support::{RUNNERS, Wrapped, kill, wait_for};

#[test]
fn the_wrapper_and_its_command_stop_and_continue_together() {
    let script = format!("echo $$; trap 'exit 3' USR1; {WAIT}");
    for runner in RUNNERS {
        let mut wrapped = Wrapped::start(runner, &["sh", "-c", &script]);
        let command: u32 = wrapped.line().parse().unwrap();
        let wrapper = wrapped.id();
        for (stopped, by, continued) in [
            (command, "STOP", wrapper),
            (command, "STOP", command),
            (wrapper, "TSTP", wrapper),
            (wrapper, "TTIN", command),
            (command, "TTOU", wrapper),
        ] {
            kill(stopped, by);
            wait_for([wrapper, command], |state| state == 'T');
            kill(continued, "CONT");
            wait_for([wrapper, command], |state| state != 'T');
        }
        kill(wrapper, "USR1");
        assert_eq!(wrapped.end().code, 3, "{runner:?}");
    }
}

/// The signal reaches the wrapper, too, which does not send it back: vim, for one, would stop a second time.
#[test]
fn a_command_that_stops_its_whole_group_gets_the_signal_once() {
    let script = format!(
        "n=0; trap 'n=$((n + 1))' TSTP; trap 'echo $n; exit 3' 35; kill -s TSTP 0; echo sent; {WAIT}"
    );
    for runner in RUNNERS {
        let mut wrapped = Wrapped::start(runner, &["sh", "-c", &script]);
        assert_eq!(wrapped.line(), "sent");
        // A wrapper takes signals in the order of their numbers.
        kill(wrapped.id(), "35");
        assert_eq!(wrapped.line(), "1", "{runner:?}");
        assert_eq!(wrapped.end().code, 3, "{runner:?}");
    }
}
