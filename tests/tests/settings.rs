//! The core's table of settings agrees with what the component exports and with the variables that the
//! local Azure removes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;

use vaultlet_core::planner::identity_variables;
use vaultlet_core::settings::{Reader, SETTINGS, Setting};
use vaultlet_dev::Local;
use vaultlet_tests::root;
use vaultlet_tests::stock::{Job, component};

#[test]
fn the_component_exports_the_table() {
    let Some(job) = Job::new() else { return };
    let ended = job.wasmtime(&["--invoke", "settings()"], &component(), &[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let expected: Vec<_> = SETTINGS.iter().map(wave).collect();
    assert_eq!(ended.stdout.trim_end(), format!("[{}]", expected.join(", ")));
}

/// A setting as WAVE writes it, which leaves out an option that is none.
fn wave(setting: &Setting) -> String {
    let Setting { variable, flag, value, separator, reader, help } = setting;
    // WAVE escapes both kinds of quotes.
    let quoted = |text: &str| format!("{text:?}").replace('\'', "\\'");
    let option = |name: &str, text: &Option<&str>| match text {
        Some(text) => format!("{name}: some({}), ", quoted(text)),
        None => String::new(),
    };
    let reader = match reader {
        Reader::Component => "component",
        Reader::Host => "host",
    };
    format!(
        "{{variable: {}, flag: {}, {}{}reader: {reader}, help: {}}}",
        quoted(variable),
        quoted(flag),
        option("value", value),
        option("separator", separator),
        quoted(help)
    )
}

/// The host passes on exactly the settings that the component reads.
#[test]
fn the_host_passes_on_the_settings_that_the_component_reads() {
    let host = root().join("host/runtime/src");
    let source =
        sources(&host).into_iter().find(|text| text.contains("const COMPONENT_SETTINGS")).unwrap();
    let list = source.split("const COMPONENT_SETTINGS").nth(1).unwrap().split("];").next().unwrap();
    let passed: BTreeSet<_> = list.split('"').filter(|it| it.starts_with("VAULTLET_")).collect();
    let read = SETTINGS.iter().filter(|setting| setting.reader == Reader::Component);
    assert_eq!(passed, read.map(|setting| setting.variable).collect());
}

fn sources(folder: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() { sources(&path) } else { vec![fs::read_to_string(path).unwrap()] }
        })
        .collect()
}

/// A child of the local Azure loses every variable that could lead it to another identity.
#[test]
fn the_local_azure_removes_every_variable_that_selects_an_identity() {
    let removed: BTreeSet<_> = Local::foreign_variables().iter().copied().collect();
    assert_eq!(removed, identity_variables().into_iter().collect());
}
