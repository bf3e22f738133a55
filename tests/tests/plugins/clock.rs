//! A plugin's deadline, by the clock, whatever the plugin computes; and that no other call waits.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use vaultlet_host::{Cancel, Plugin};

use crate::job::{DB, Job, VALUE, read};

const LIMIT: Duration = Duration::from_millis(300);
/// The time within which the end of a call is told.
const LATE: Duration = Duration::from_millis(200);

/// How late this machine has woken a thread while something else was done: on a busy one every thread is late, and so is
/// the one that ends a call.
struct Busy {
    is_done: std::sync::Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Duration>,
}

impl Busy {
    /// Measures from now on.
    fn watch() -> Self {
        let is_done = std::sync::Arc::<AtomicBool>::default();
        let done = is_done.clone();
        let nap = Duration::from_millis(5);
        let thread = std::thread::spawn(move || {
            let mut latest = Duration::ZERO;
            while !done.load(Ordering::Relaxed) {
                let begun = Instant::now();
                std::thread::sleep(nap);
                latest = latest.max(begun.elapsed().saturating_sub(nap));
            }
            latest
        });
        Self { is_done, thread }
    }

    /// The time within which the end of a call is told on a machine that was so busy: several threads, one after the
    /// other, tell it.
    fn late(self) -> Duration {
        self.is_done.store(true, Ordering::Relaxed);
        LATE + 3 * self.thread.join().unwrap()
    }
}

/// A component with the function `run`, which has this body, and others that it may use; and `one`.
pub(crate) fn component(body: &str, more: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $m
                (memory 1 16384)
                (table $t 1 1000000 funcref)
                {more}
                (func (export "run") (local $i i32) (local $j i64) {body})
                (func (export "one") (result i32) i32.const 1))
            (core instance $i (instantiate $m))
            (func (export "run") (canon lift (core func $i "run")))
            (func (export "one") (result u32) (canon lift (core func $i "one"))))"#
    );
    wat::parse_str(text).unwrap()
}

/// Guests that compute without end, each in another way.
fn computing() -> Vec<(&'static str, Vec<u8>)> {
    let whole = "(drop (memory.grow (i32.const 16383)))";
    let fill = "(memory.fill (i32.const 0) (i32.const 7) (i32.const 1073741824))";
    let copy = "(memory.copy (i32.const 1) (i32.const 0) (i32.const 1073741823))";
    let table = "(drop (table.grow $t (ref.null func) (i32.const 999000)))";
    let table_fill = "(table.fill $t (i32.const 0) (ref.null func) (i32.const 999000))";
    let table_copy = "(table.copy $t $t (i32.const 1) (i32.const 0) (i32.const 999000))";
    let numbers = "(local.set $j (i64.add (i64.mul (local.get $j) (i64.const 31)) (i64.const 7)))";
    [
        ("an empty loop", "(loop (br 0))".into(), ""),
        ("a loop of numbers", format!("(loop {numbers} (br 0))"), ""),
        ("calls", "(loop (call $f) (br 0))".into(), "(func $f)"),
        (
            "calls by the table",
            "(loop (call_indirect $t (i32.const 0)) (br 0))".into(),
            "(func $f) (elem $t (i32.const 0) $f)",
        ),
        (
            "recursion without end",
            "(loop (call $r (i32.const 1000)) (br 0))".into(),
            "(func $r (param i32) (if (local.get 0) (then
                (call $r (i32.sub (local.get 0) (i32.const 1)))
                (call $r (i32.sub (local.get 0) (i32.const 1))))))",
        ),
        (
            "fills of a page",
            "(loop (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536)) (br 0))".into(),
            "",
        ),
        ("fills of 1 GB", format!("{whole} (loop {fill} (br 0))"), ""),
        ("copies of 1 GB", format!("{whole} (loop {copy} (br 0))"), ""),
        ("fills of 1 GB in a row", format!("{whole} (loop {} (br 0))", fill.repeat(50)), ""),
        ("growing and failing", "(loop (drop (memory.grow (i32.const 60000))) (br 0))".into(), ""),
        ("fills of a table", format!("{table} (loop {table_fill} (br 0))"), ""),
        ("copies of a table", format!("{table} (loop {table_copy} (br 0))"), ""),
    ]
    .map(|(name, body, more): (_, String, &str)| (name, component(&body, more)))
    .into()
}

fn open(job: &Job, wasm: Vec<u8>) -> Plugin {
    job.vaultlet.plugin(wasm).memory(4 << 30).timeout(LIMIT).open().unwrap()
}

#[test]
fn the_deadline_of_a_computing_plugin_is_kept() {
    let job = Job::new();
    for (name, wasm) in computing() {
        let plugin = open(&job, wasm);
        for asynchronous in [false, true] {
            let busy = Busy::watch();
            let begun = Instant::now();
            let ended = if asynchronous {
                block_on(plugin.call("run()"))
            } else {
                plugin.call_blocking("run()")
            };
            let took = begun.elapsed();
            let error = ended.unwrap_err();
            assert_eq!(error.id, "timeout", "{name}: {error}");
            assert!(error.message.contains("within 0.3 s"), "{name}: {error}");
            let late = busy.late();
            assert!(
                took < LIMIT + late,
                "{name}, asynchronous: {asynchronous}: {took:?}, {late:?}"
            );
        }
    }
}

#[test]
fn a_cancelled_call_of_a_computing_plugin_ends_at_once() {
    let job = Job::new();
    for (name, wasm) in computing() {
        let plugin = open(&job, wasm).with_timeout(Duration::from_secs(60));
        let cancel = Cancel::new();
        let cancelled = plugin.with_cancel(&cancel);
        let ended = std::thread::scope(|scope| {
            let call = scope.spawn(|| cancelled.call_blocking("run()"));
            // Nothing tells that a plugin has begun to compute.
            std::thread::sleep(Duration::from_millis(50));
            let busy = Busy::watch();
            let begun = Instant::now();
            cancel.cancel();
            assert_eq!(call.join().unwrap().unwrap_err().id, "cancelled", "{name}");
            (begun.elapsed(), busy.late())
        });
        let (took, late) = ended;
        assert!(took < late, "{name}: {took:?}, {late:?}");
    }
}

/// A call that was left by its caller does not go on computing.
#[test]
fn a_computing_plugin_is_stopped_and_its_place_is_free_again() {
    let job = Job::new();
    for (name, wasm) in computing() {
        let builder = job.vaultlet.plugin(wasm).memory(4 << 30).timeout(LIMIT).concurrency(1);
        let plugin = builder.open().unwrap();
        {
            let mut call = pin!(plugin.call("run()"));
            assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        assert_eq!(plugin.call_blocking("run()").unwrap_err().id, "timeout", "{name}");
        let plugin = plugin.with_timeout(Duration::from_secs(60));
        assert_eq!(plugin.call_blocking("one()").unwrap().as_str(), "1", "{name}");
    }
}

/// Two of four places compute; the others, the handle and another plugin answer as ever.
#[test]
fn no_call_waits_for_one_that_computes() {
    const SOON: Duration = Duration::from_secs(1);
    let job = Job::new();
    let other = job.plugin().grant(DB).open().unwrap();
    for (name, wasm) in computing() {
        let plugin = open(&job, wasm).with_timeout(Duration::from_secs(60));
        let cancel = Cancel::new();
        let spinning = plugin.with_cancel(&cancel);
        let begun = &AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    begun.store(true, Ordering::SeqCst);
                    spinning.call_blocking("run()")
                });
            }
            while !begun.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            for _ in 0..2 {
                let asked = Instant::now();
                assert_eq!(plugin.call_blocking("one()").unwrap().as_str(), "1", "{name}");
                assert!(asked.elapsed() < SOON, "{name}: one() took {:?}", asked.elapsed());
                let asked = Instant::now();
                assert_eq!(job.vaultlet.get_blocking(DB).unwrap().reveal(), VALUE);
                assert!(asked.elapsed() < SOON, "{name}: get took {:?}", asked.elapsed());
                let asked = Instant::now();
                assert_eq!(job.call(&other, &read(DB)), format!("ok(\"{VALUE}\")"));
                assert!(asked.elapsed() < SOON, "{name}: another took {:?}", asked.elapsed());
            }
            cancel.cancel();
        });
    }
}

/// A call that waits for its turn has the same deadline.
#[test]
fn the_deadline_of_a_waiting_call_is_kept() {
    let job = Job::new();
    let plugin = job.plugin().concurrency(1).open().unwrap();
    let cancel = Cancel::new();
    let spinning = plugin.with_cancel(&cancel).with_timeout(Duration::from_secs(60));
    std::thread::scope(|scope| {
        let spin = scope.spawn(|| spinning.call_blocking("spin()"));
        let plugin = plugin.with_timeout(LIMIT);
        // Until the place is taken.
        while plugin.call_blocking("count()").is_ok() {}
        for _ in 0..3 {
            let busy = Busy::watch();
            let begun = Instant::now();
            assert_eq!(block_on(plugin.call("count()")).unwrap_err().id, "timeout");
            let (took, late) = (begun.elapsed(), busy.late());
            assert!(took < LIMIT + late, "{took:?}, {late:?}");
        }
        cancel.cancel();
        assert_eq!(spin.join().unwrap().unwrap_err().id, "cancelled");
    });
    assert_eq!(job.call(&plugin, "count()"), "1");
}
