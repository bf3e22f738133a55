//! A local Azure with a handle in it; errors, logs and `Debug` output are scanned for secrets at the end.

use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex, Once, PoisonError};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use vaultlet_dev::{Builder, Local};
use vaultlet_host::{Error, Plugin, PluginBuilder, Vaultlet, wave_text};
use vaultlet_tests::guests::guest;

/// The secret's value, which no error, log line or `Debug` output may hold.
pub(crate) const VALUE: &str = "correct horse battery staple é";
pub(crate) const DB: &str = "akv://job/db";

/// The unruly plugin, whose functions are described in `tests/guests/unruly`.
pub(crate) fn unruly() -> Vec<u8> {
    static COMPONENT: LazyLock<Vec<u8>> = LazyLock::new(|| std::fs::read(guest("unruly")).unwrap());
    COMPONENT.clone()
}

pub(crate) struct Job {
    pub(crate) local: Local,
    pub(crate) vaultlet: Vaultlet,
    said: Arc<Mutex<String>>,
}

impl Job {
    pub(crate) fn new() -> Self {
        Self::with(|local| local)
    }

    pub(crate) fn with(more: impl FnOnce(Builder) -> Builder) -> Self {
        listen();
        let local = more(Local::builder().vault("job").vault("other").seed("db", VALUE));
        let local = local.seed("ungranted", VALUE).start().unwrap();
        let variables = local.environment().iter().cloned();
        let vaultlet = Vaultlet::builder().variables(variables).open().unwrap();
        Self { local, vaultlet, said: Arc::default() }
    }

    /// A builder for the unruly plugin, without grants.
    pub(crate) fn plugin(&self) -> PluginBuilder {
        self.vaultlet.plugin(unruly())
    }

    /// The result of a call, or the error's line.
    pub(crate) fn call(&self, plugin: &Plugin, call: &str) -> String {
        self.recorded(plugin.call_blocking(call).map(|text| text.to_string()), call)
    }

    /// The error of a call that must fail.
    pub(crate) fn fails(&self, plugin: &Plugin, call: &str) -> Error {
        let result = plugin.call_blocking(call).map(|text| text.to_string());
        self.recorded(result.clone(), call);
        result.unwrap_err()
    }

    /// Returns a result as text and has it scanned at the end, unless the call reads the value.
    pub(crate) fn recorded(&self, result: Result<String, Error>, call: &str) -> String {
        let text = match &result {
            Ok(text) => text.clone(),
            Err(error) => error.to_string(),
        };
        if text != format!("ok({})", wave_text(VALUE)) {
            self.say(&format!("{call} {text} {result:?}\n"));
        }
        text
    }

    pub(crate) fn say(&self, text: &str) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.say(&format!("{:?} {}", self.vaultlet, log()));
        let said = self.said.lock().unwrap();
        let environment = self.local.environment().iter();
        let secrets = environment.filter(|(name, _)| name.ends_with("_SECRET"));
        for secret in secrets.map(|(_, value)| value.as_str()).chain([VALUE, "eyJ"]) {
            assert!(!said.contains(secret), "a secret was said:\n{said}");
        }
    }
}

/// A call of a function in the unruly plugin's interface `secrets-of-others`.
pub(crate) fn of_others(function: &str, arguments: &str) -> String {
    format!("example:unruly/secrets-of-others#{function}({arguments})")
}

pub(crate) fn read(reference: &str) -> String {
    of_others("read", &wave_text(reference))
}

/// All log lines of vaultlet so far, from all tests.
pub(crate) fn log() -> String {
    String::from_utf8_lossy(&LOG.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn listen() {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(|| {
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Log);
        let ours = Targets::new().with_target("vaultlet", LevelFilter::TRACE);
        let subscriber = tracing_subscriber::registry().with(ours).with(lines);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}
