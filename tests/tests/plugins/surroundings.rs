//! A plugin sees nothing of the machine.

use std::sync::{Arc, Mutex};

use vaultlet_host::wave_text;

use crate::job::{Job, of_others};

#[test]
fn a_plugin_has_an_empty_environment() {
    assert!(std::env::vars().count() > 0, "the host has no variables to hide");
    let job = Job::new();
    let plugin = job.plugin().open().unwrap();
    assert_eq!(job.call(&plugin, "surroundings()"), "[]");
    assert_eq!(job.call(&plugin, "read-input()"), r#""""#);
}

#[test]
fn a_plugin_has_no_files() {
    let job = Job::new();
    let plugin = job.plugin().open().unwrap();
    let here = std::env::current_exe().unwrap();
    for path in
        ["/etc/passwd", "/proc/self/environ", "/", ".", "Cargo.toml", here.to_str().unwrap()]
    {
        let result = job.call(&plugin, &format!("open-file({})", wave_text(path)));
        assert!(result.contains("No such file or directory"), "{path}: {result}");
    }
}

#[test]
fn the_output_of_a_plugin_goes_to_the_listener_up_to_a_limit() {
    let job = Job::new();
    let output = Arc::<Mutex<Vec<String>>>::default();
    let plugin = {
        let output = Arc::clone(&output);
        job.plugin().on_output(move |line| output.lock().unwrap().push(line.to_owned()))
    };
    let plugin = plugin.open().unwrap();
    assert_eq!(job.call(&plugin, r#"print("one\u{1b}[2J\ntwo\nbegun")"#), "");
    let take = || std::mem::take(&mut *output.lock().unwrap());
    assert_eq!(take(), ["one[2J", "two", "one[2J", "two"]);
    let line = format!("{}\n", "x".repeat(1_000));
    job.call(&plugin, &format!("print({})", wave_text(&line.repeat(100))));
    assert_eq!(take().len(), 65, "64 KiB are 65 lines of 1,001 bytes");
    job.call(&plugin, r#"print("each call has its own\n")"#);
    assert_eq!(take().len(), 2);
    // Without a listener, printing succeeds all the same.
    let plugin = job.plugin().open().unwrap();
    assert_eq!(job.call(&plugin, r#"print("unheard\n")"#), "");
}

/// The message of a panic may contain what the plugin has read.
#[test]
fn the_message_of_a_panic_goes_to_the_listener_and_not_into_the_error() {
    let job = Job::new();
    let output = Arc::<Mutex<String>>::default();
    let plugin = {
        let output = Arc::clone(&output);
        job.plugin().on_output(move |line| output.lock().unwrap().push_str(line))
    };
    let plugin = plugin.open().unwrap();
    let error = job.fails(&plugin, "panic-now()");
    assert!(output.lock().unwrap().contains("by its own will"));
    assert!(!error.to_string().contains("by its own will"), "{error}");
}

#[test]
fn a_call_does_not_see_the_state_of_an_earlier_one() {
    let job = Job::new();
    let plugin = job.plugin().open().unwrap();
    for _ in 0..3 {
        assert_eq!(job.call(&plugin, "count()"), "1");
    }
}

#[test]
fn arguments_and_results_of_every_type_are_passed_as_wave() {
    let job = Job::new();
    let plugin = job.plugin().open().unwrap();
    let call = r#"several(true, -3, "a \"b\" \u{e9}", [some("x"), none])"#;
    assert_eq!(job.call(&plugin, call), r#""true -3 a \"b\" é [Some(\"x\"), None]""#);
    assert_eq!(job.call(&plugin, " nothing ( ) \n"), "");
    assert_eq!(job.call(&plugin, "flood(3)"), "[7, 7, 7]");
    for call in [
        "nothing",
        "",
        "nothing(",
        "nothing())",
        "nothing(1)",
        "absent()",
        "no thing()",
        "secrets-of-others#read(\"x\")",
        "example:unruly/secrets-of-others#absent()",
        "example:unruly/secrets-of-others()",
        "flood(\"three\")",
        "flood(-1)",
        "flood(99999999999999999999)",
    ] {
        let error = job.fails(&plugin, call);
        assert_eq!((error.kind.as_str(), error.id.as_str()), ("invalid-argument", "plugin-call"));
    }
}

#[test]
fn a_call_may_be_long() {
    let job = Job::new();
    let plugin = job.plugin().open().unwrap();
    let call = |length| format!("several(true, 1, {}, [])", wave_text(&"é".repeat(length)));
    assert_eq!(job.call(&plugin, &call(100_000)).chars().count(), 100_000 + "\"true 1  []\"".len());
    let error = job.fails(&plugin, &call(200_000));
    assert!(error.message.ends_with("it has more than 262144 bytes"), "{error}");
}

/// An argument may be a secret, so an error names its position instead of quoting it.
#[test]
fn no_error_quotes_an_argument() {
    let job = Job::new();
    let plugin = job.plugin().open().unwrap();
    for call in [
        "exit-with(hunter2)",
        "exit-with(\"hunter2\")",
        "exit-with(\"hunter2)",
        "print(hunter2 hunter2)",
    ] {
        let error = job.fails(&plugin, call);
        assert!(!format!("{error} {error:?}").contains("hunter"), "{error}");
        assert!(error.message.contains(" at byte "), "{error}");
    }
    let error = job.fails(&plugin, &of_others("read", "7"));
    assert!(error.message.ends_with("at byte 38"), "{error}");
}
