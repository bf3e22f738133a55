//! Compiling a plugin has a limit of time and memory, by the clock, and can be cancelled.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use vaultlet_host::{Cancel, Kind};

use crate::clock::component;
use crate::job::{Job, unruly};

const LIMIT: Duration = Duration::from_secs(2);
/// The time within which the end of the time is told, and as much again for a busy machine.
const LATE: Duration = Duration::from_secs(1);

/// `loops` loops in one another, in which `locals` locals are changed: a compiler that keeps track of
/// each local in each loop needs much longer than the text is.
fn nested(locals: usize, loops: usize) -> Vec<u8> {
    let mut text = format!("(local {})", "i32 ".repeat(locals));
    for _ in 0..loops {
        text.push_str("(loop ");
    }
    for local in 0..locals {
        let _ = write!(
            text,
            "(local.set {0} (i32.add (local.get {0}) (local.get {1})))",
            local,
            (local + 1) % locals
        );
    }
    for depth in 0..loops {
        let _ = write!(text, "(br_if {depth} (local.get {}))", depth % locals);
    }
    text.push_str(&")".repeat(loops));
    component("", &format!("(func {text})"))
}

/// One function with very many of the same.
fn long(piece: &str, times: usize) -> Vec<u8> {
    component("", &format!("(func (local i32 i64) {})", piece.repeat(times)))
}

#[test]
fn the_time_of_compiling_is_limited() {
    let job = Job::new();
    let choice = "(if (local.get 0) (then (local.set 0 (i32.add (local.get 0) (i32.const 1)))))";
    for (name, wasm) in [
        ("400 locals in 400 loops", nested(400, 400)),
        ("1000 locals in 200 loops", nested(1_000, 200)),
        ("200 locals in 1000 loops", nested(200, 1_000)),
        ("600,000 choices", long(choice, 600_000)),
    ] {
        let begun = Instant::now();
        let error = job.vaultlet.plugin(wasm).open_timeout(LIMIT).open().unwrap_err();
        assert_eq!((error.kind, error.id.as_str()), (Kind::Timeout, "timeout"), "{name}: {error}");
        assert!(
            error.to_string().starts_with("opening a plugin: not done within 2 s; "),
            "{error}"
        );
        assert!(begun.elapsed() < LIMIT + LATE, "{name}: {:?}", begun.elapsed());
    }
    assert_eq!(children(), 0, "a compiler is left");
    // The handle opens others as ever.
    let plugin = job.vaultlet.plugin(component("", "")).open().unwrap();
    assert_eq!(job.call(&plugin, "one()"), "1");
}

#[test]
fn the_memory_of_compiling_is_limited() {
    let job = Job::new();
    let choice = "(if (local.get 0) (then (local.set 0 (i32.add (local.get 0) (i32.const 1)))))";
    let wasm = long(choice, 100_000);
    let begun = Instant::now();
    for _ in 0..2 {
        let error = job.vaultlet.plugin(&*wasm).open_memory(64 << 20).open().unwrap_err();
        assert_eq!(error.id, "plugin-limit", "{error}");
        assert!(error.message.contains("needs more than 64 MiB of memory"), "{error}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    // Usual code needs little of it.
    let plugin = job.vaultlet.plugin(component("", "")).open_memory(64 << 20).open().unwrap();
    assert_eq!(job.call(&plugin, "one()"), "1");
}

#[test]
fn compiling_can_be_cancelled() {
    let job = Job::new();
    for of_handle in [false, true] {
        let cancel = Cancel::new();
        let vaultlet = match of_handle {
            true => job.vaultlet.with_cancel(&cancel),
            false => job.vaultlet.clone(),
        };
        let builder = vaultlet.plugin(nested(400, 400));
        let builder = if of_handle { builder } else { builder.cancel(&cancel) };
        std::thread::scope(|scope| {
            let (says, said) = std::sync::mpsc::channel();
            let opening = scope.spawn(move || {
                let thread = thread();
                says.send(thread.clone()).unwrap();
                (builder.open().map(drop), children_of(&thread))
            });
            let thread = said.recv().unwrap();
            while children_of(&thread) == 0 {
                std::thread::yield_now();
            }
            let begun = Instant::now();
            cancel.cancel();
            let (opened, left) = opening.join().unwrap();
            assert_eq!(opened.unwrap_err().id, "cancelled");
            assert!(begun.elapsed() < LATE, "{:?}", begun.elapsed());
            assert_eq!(left, 0, "a compiler is left");
        });
        let error = job.vaultlet.plugin(unruly()).cancel(&cancel).open().unwrap_err();
        assert_eq!(error.id, "cancelled");
    }
}

#[test]
fn what_compiling_takes_is_not_taken_from_this_process() {
    let job = Job::new();
    let (threads, descriptors) = (entries("/proc/self/task"), entries("/proc/self/fd"));
    for _ in 0..20 {
        job.vaultlet.plugin(component("", "")).open().unwrap();
        let _ = job.vaultlet.plugin(&b"no component"[..]).open().unwrap_err();
    }
    assert_eq!(children(), 0);
    // Other tests run beside this one.
    assert!(entries("/proc/self/fd") < descriptors + 40);
    assert!(entries("/proc/self/task") < threads + 60);
}

/// Plugins are opened by many threads at once, which take and release locks of the allocator.
#[test]
fn many_threads_open_plugins_at_once() {
    let job = Job::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let plugin = job.vaultlet.plugin(component("", "")).open().unwrap();
                    assert_eq!(plugin.call_blocking("one()").unwrap().as_str(), "1");
                }
            });
        }
    });
}

fn entries(folder: &str) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// The child processes of this thread.
fn children() -> usize {
    children_of(&thread())
}

fn children_of(thread: &Path) -> usize {
    let children = std::fs::read_to_string(Path::new("/proc").join(thread).join("children"));
    children.unwrap().split_whitespace().count()
}

/// This thread, below `/proc`.
fn thread() -> PathBuf {
    std::fs::read_link("/proc/thread-self").unwrap()
}
