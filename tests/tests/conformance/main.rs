//! Every case of `tests/cases` runs three times: in the core, natively, with a scripted context; and in
//! the host, against scripted servers, in the embedded component and in the public one. All must send
//! the same requests and end with the same result.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod assertion;
mod component;
mod guard;
mod keys;
mod machine;
mod native;
mod scan;
mod scene;

use std::io::{Write as _, stderr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use vaultlet_tests::case::{Case, suites};
use vaultlet_tests::root;

use component::{embedded, public};
use native::native;

/// Cases that run at once: each of them waits more than it computes.
const AT_ONCE: usize = 4;

#[test]
fn each_case_natively_and_in_both_components() {
    let suites = suites(&root().join("tests/cases")).unwrap();
    let cases: Vec<(String, &Case)> = suites
        .iter()
        .flat_map(|suite| suite.cases.iter().map(|(n, c)| (format!("{}/{n}", suite.name), c)))
        .collect();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((name, case)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    for (form, result) in [
                        ("natively", native(case)),
                        ("embedded", embedded(case)),
                        ("public", public(case)),
                    ] {
                        if let Err(why) = result {
                            wrong.lock().unwrap().push(format!("{name}, {form}: {why}"));
                        }
                    }
                }
            });
        }
    });
    // Not `println`, which the test harness captures.
    let mut report = stderr().lock();
    for suite in &suites {
        let (name, count) = (&suite.name, suite.cases.len());
        let _ = writeln!(report, "{name}: {count} cases, each natively and in both components");
    }
    let (files, runs) = (suites.iter().map(|s| s.files).sum::<usize>(), cases.len() * 3);
    let _ = writeln!(report, "total: {} cases in {files} files, {runs} runs", cases.len());
    drop(report);
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    assert!(wrong.is_empty(), "{} of {runs} runs fail:\n{}", wrong.len(), wrong.join("\n"));
}

fn attempt(source: &str, endpoint: Option<&str>, outcome: &str) -> String {
    match endpoint {
        Some(endpoint) => format!("{source} ({endpoint}): {outcome}"),
        None => format!("{source}: {outcome}"),
    }
}
