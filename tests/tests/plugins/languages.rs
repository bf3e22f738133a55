//! One plugin in four languages, each written as an author of that language would
//! (`tests/guests/plugin`, `tests/guests/languages`), and embedded by the same few lines.

use vaultlet_host::{PluginBuilder, wave_text};
use vaultlet_tests::guests::guest;

use crate::job::{DB, Job, VALUE};
use crate::toolchains::{c, javascript, python};

#[test]
fn a_plugin_in_rust_runs() {
    describes(std::fs::read(guest("plugin")).unwrap(), |plugin| plugin);
}

#[test]
fn a_plugin_in_c_runs() {
    let Some(component) = c() else { return };
    describes(component, |plugin| plugin);
}

#[test]
fn a_plugin_in_javascript_runs() {
    let Some(component) = javascript() else { return };
    describes(component, |plugin| plugin);
}

#[test]
fn a_plugin_in_python_runs() {
    let Some(component) = python() else { return };
    describes(component, |plugin| plugin.memory(128 << 20));
}

fn describes(component: Vec<u8>, with: impl FnOnce(PluginBuilder) -> PluginBuilder) {
    let job = Job::new();
    let plugin = with(job.vaultlet.plugin(component).grant(DB)).open().unwrap();
    let describe = |reference| job.call(&plugin, &format!("describe({})", wave_text(reference)));
    let result = format!("ok(\"db of job.vault.azure.net has {} bytes\")", VALUE.len());
    for _ in 0..2 {
        assert_eq!(describe(DB), result);
        let denied = describe("akv://job/ungranted");
        let expected = "err(\"getting a secret: `akv://job.vault.azure.net/ungranted` is not granted \
                        to this plugin; grant it where the plugin is opened (plugin-not-granted)\")";
        assert_eq!(denied, expected);
    }
    assert_eq!(job.local.counters().operation("get", 200), 2);
}
