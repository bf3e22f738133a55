//! How much a plugin may use, and that one which goes beyond it harms no other call.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use vaultlet_host::{Cancel, Kind};

use crate::job::{DB, Job, VALUE, of_others, read};

#[test]
fn more_memory_than_it_is_given_is_refused() {
    let job = Job::new();
    let plugin = job.plugin().memory(16 << 20).open().unwrap();
    for _ in 0..2 {
        let error = job.fails(&plugin, "grow(64)");
        assert_eq!((error.kind, error.id.as_str()), (Kind::Configuration, "plugin-limit"));
        assert!(
            error.message.contains("it was refused more than 16777216 bytes of memory"),
            "{error}"
        );
        assert_eq!(job.call(&plugin, "grow(8)"), "8");
    }
    // By default, and with more.
    let plugin = job.plugin().open().unwrap();
    assert_eq!(job.call(&plugin, "grow(48)"), "48");
    assert_eq!(job.fails(&plugin, "grow(80)").id, "plugin-limit");
    let plugin = job.plugin().memory(128 << 20).open().unwrap();
    assert_eq!(job.call(&plugin, "grow(80)"), "80");
    // It does not even start.
    let plugin = job.plugin().memory(64 << 10).open().unwrap();
    assert_eq!(job.fails(&plugin, "nothing()").id, "plugin-limit");
}

#[test]
fn one_that_computes_or_waits_without_end_is_ended() {
    let job = Job::new();
    let plugin = job.plugin().timeout(Duration::from_millis(200)).open().unwrap();
    for call in ["spin()", "sleep-long(1000000)"] {
        let error = job.fails(&plugin, call);
        assert_eq!((error.kind, error.id.as_str()), (Kind::Timeout, "timeout"), "{error}");
        assert!(error.message.contains("within 0.2 s"), "{error}");
    }
    let plugin = plugin.with_timeout(Duration::from_millis(300));
    assert!(job.fails(&plugin, "spin()").message.contains("within 0.3 s"));
}

#[test]
fn a_trap_ends_its_call_and_no_other() {
    let job = Job::new();
    let plugin = job.plugin().grant(DB).open().unwrap();
    for (call, how) in [
        ("panic-now()", "unreachable"),
        ("recurse(1000000000)", "call stack exhausted"),
        ("exit-with(7)", "it exited with status 1"),
        ("exit-with(0)", "it exited with status 0"),
    ] {
        let error = job.fails(&plugin, call);
        assert_eq!((error.kind, error.id.as_str()), (Kind::Internal, "plugin-trapped"), "{error}");
        assert!(error.message.contains(how), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
        assert_eq!(job.call(&plugin, &read(DB)), format!("ok(\"{VALUE}\")"));
    }
    assert_eq!(job.call(&plugin, "recurse(1000)"), "1000");
}

#[test]
fn a_result_of_any_size_takes_no_more_than_its_part_of_our_memory() {
    let job = Job::new();
    let plugin = job.plugin().open().unwrap();
    assert!(job.call(&plugin, "flood(1000)").starts_with("[7, 7"));
    assert_eq!(job.fails(&plugin, "flood(4000000)").id, "plugin-trapped");
}

#[test]
fn it_holds_so_many_secrets_and_asks_so_often() {
    let job = Job::new();
    let plugin = job.plugin().grant(DB).open().unwrap();
    let told = job.call(&plugin, &of_others("hoard", &format!("\"{DB}\", 300")));
    assert!(told.starts_with("(256, \"ErrorKind::Configuration: "), "{told}");
    assert!(told.contains("it holds 256 secrets") && told.contains("(plugin-limit)"), "{told}");
    let told = job.call(&plugin, &of_others("ask", &format!("\"{DB}\", 1200")));
    assert!(told.starts_with("(1000, ") && told.contains("it has asked 1000 times"), "{told}");
    assert_eq!(job.local.counters().operation("get", 200), 1_256);
    // In one call.
    assert_eq!(job.call(&plugin, &read(DB)), format!("ok(\"{VALUE}\")"));
}

/// Neither the handle nor another call of the same plugin waits for one that computes.
#[test]
fn one_that_computes_keeps_nobody_waiting() {
    let job = Job::new();
    let cancel = Cancel::new();
    let plugin = job.plugin().grant(DB).concurrency(3).timeout(Duration::from_secs(600));
    let plugin = plugin.open().unwrap();
    std::thread::scope(|scope| {
        let spinning = [(); 2].map(|()| {
            let plugin = plugin.with_cancel(&cancel);
            scope.spawn(move || plugin.call_blocking("spin()"))
        });
        for _ in 0..3 {
            assert_eq!(job.vaultlet.get_blocking(DB).unwrap().reveal(), VALUE);
            assert_eq!(job.call(&plugin, &read(DB)), format!("ok(\"{VALUE}\")"));
        }
        cancel.cancel();
        for spinning in spinning {
            assert_eq!(spinning.join().unwrap().unwrap_err().id, "cancelled");
        }
    });
}

#[test]
fn many_calls_at_once_wait_in_line() {
    let job = Job::new();
    let plugin = job.plugin().grant(DB).concurrency(2).open().unwrap();
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..16).map(|_| scope.spawn(|| job.call(&plugin, &read(DB)))).collect();
        for call in calls {
            assert_eq!(call.join().unwrap(), format!("ok(\"{VALUE}\")"));
        }
    });
    assert_eq!(job.local.counters().tokens_issued, 1);
}

/// Its place is free again: there is only one.
#[test]
fn a_call_whose_future_is_dropped_is_ended() {
    let job = Job::new();
    let plugin = job.plugin().concurrency(1).timeout(Duration::from_secs(600)).open().unwrap();
    {
        let mut call = pin!(plugin.call("spin()"));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(job.call(&plugin, "count()"), "1");
}
