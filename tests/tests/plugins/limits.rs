//! Limits of a plugin, and that a plugin which exceeds them affects no other call.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use vaultlet_host::{Cancel, Kind};

use crate::job::{DB, Job, VALUE, of_others, read};

#[test]
fn memory_beyond_the_limit_is_refused() {
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
    // The default limit, and a higher one.
    let plugin = job.plugin().open().unwrap();
    assert_eq!(job.call(&plugin, "grow(48)"), "48");
    assert_eq!(job.fails(&plugin, "grow(80)").id, "plugin-limit");
    let plugin = job.plugin().memory(128 << 20).open().unwrap();
    assert_eq!(job.call(&plugin, "grow(80)"), "80");
    // The limit is too low for the plugin to start.
    let plugin = job.plugin().memory(64 << 10).open().unwrap();
    assert_eq!(job.fails(&plugin, "nothing()").id, "plugin-limit");
}

#[test]
fn a_plugin_that_computes_or_waits_without_end_is_stopped() {
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
fn a_trap_ends_only_its_own_call() {
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
fn a_large_result_takes_a_bounded_part_of_the_host_memory() {
    let job = Job::new();
    let plugin = job.plugin().open().unwrap();
    assert!(job.call(&plugin, "flood(1000)").starts_with("[7, 7"));
    assert_eq!(job.fails(&plugin, "flood(4000000)").id, "plugin-trapped");
}

#[test]
fn the_secrets_and_requests_of_a_call_are_limited() {
    let job = Job::new();
    let plugin = job.plugin().grant(DB).open().unwrap();
    let result = job.call(&plugin, &of_others("hoard", &format!("\"{DB}\", 300")));
    assert!(result.starts_with("(256, \"ErrorKind::Configuration: "), "{result}");
    assert!(
        result.contains("it holds 256 secrets") && result.contains("(plugin-limit)"),
        "{result}"
    );
    let result = job.call(&plugin, &of_others("ask", &format!("\"{DB}\", 1200")));
    assert!(
        result.starts_with("(1000, ") && result.contains("it has asked 1000 times"),
        "{result}"
    );
    assert_eq!(job.local.counters().operation("get", 200), 1_256);
    // The limits are per call: the next one succeeds.
    assert_eq!(job.call(&plugin, &read(DB)), format!("ok(\"{VALUE}\")"));
}

/// Neither the handle nor another call of the plugin waits for a call that computes.
#[test]
fn a_plugin_that_computes_delays_no_other_call() {
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
fn calls_beyond_the_concurrency_limit_wait() {
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

/// The plugin may run only one call at a time, so the next call shows that the place is free again.
#[test]
fn a_call_whose_future_is_dropped_is_stopped() {
    let job = Job::new();
    let plugin = job.plugin().concurrency(1).timeout(Duration::from_secs(600)).open().unwrap();
    {
        let mut call = pin!(plugin.call("spin()"));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(job.call(&plugin, "count()"), "1");
}
