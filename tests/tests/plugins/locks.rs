//! Locks of the process that another thread holds while a plugin is opened.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::clock::component;
use crate::job::Job;

/// A child process that compiles has one thread: whatever lock another thread holds at the fork stays
/// locked in it.
#[test]
fn a_plugin_is_opened_while_other_threads_hold_locks() {
    let job = Job::new();
    let ended = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        // The allocator, the environment, the panic hook and standard error.
        for work in [
            || drop(std::hint::black_box(vec![0u8; 100_000])),
            || drop(std::env::var("PATH")),
            || drop(std::panic::take_hook()),
            || drop(std::io::stderr().lock()),
        ] {
            scope.spawn(move || {
                while !ended.load(Ordering::SeqCst) {
                    work();
                }
            });
        }
        let begun = Instant::now();
        for _ in 0..50 {
            let plugin = job.vaultlet.plugin(component("", ""));
            plugin.open_timeout(Duration::from_secs(20)).open().unwrap();
        }
        ended.store(true, Ordering::SeqCst);
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    });
}
