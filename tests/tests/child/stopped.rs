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
