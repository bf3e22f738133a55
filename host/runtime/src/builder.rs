//! How a handle is opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::files;
use crate::settings::{Environment, FLAGS, Settings};
use crate::vaultlet::Vaultlet;

/// Settings of a [`Vaultlet`]. What is not set here comes from the environment: the same
/// `VAULTLET_*` variables that the command line takes, `HTTPS_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`,
/// and, for the credentials, exactly the variables that the component's plan names.
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `open`"]
pub struct Builder {
    settings: Settings,
}

impl fmt::Debug for Builder {
    // Variables and proxies hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Builder")
    }
}

impl Builder {
    /// Sources of credentials, in order: `auto` (default) or labels as of `--identity`.
    pub fn identity(self, labels: impl Into<String>) -> Self {
        self.setting("VAULTLET_IDENTITY", labels)
    }

    /// Sources to leave out.
    pub fn exclude(self, labels: impl Into<String>) -> Self {
        self.setting("VAULTLET_EXCLUDE", labels)
    }

    /// The client id of the user-assigned managed identity to use.
    pub fn client_id(self, id: impl Into<String>) -> Self {
        self.setting("VAULTLET_CLIENT_ID", id)
    }

    /// The object id of the user-assigned managed identity to use.
    pub fn object_id(self, id: impl Into<String>) -> Self {
        self.setting("VAULTLET_OBJECT_ID", id)
    }

    /// The resource id of the user-assigned managed identity to use.
    pub fn resource_id(self, id: impl Into<String>) -> Self {
        self.setting("VAULTLET_RESOURCE_ID", id)
    }

    /// Tenants that tokens may be asked of besides the configured one, separated by semicolons; `*`
    /// for all.
    pub fn additional_tenants(self, tenants: impl Into<String>) -> Self {
        self.setting("VAULTLET_ADDITIONAL_TENANTS", tenants)
    }

    /// The file with the token of the user on whose behalf `on-behalf-of` asks, read anew whenever it
    /// is needed; at most 64 KiB. `-` is the text of [`Builder::user_assertion`].
    pub fn user_assertion_file(self, path: impl Into<String>) -> Self {
        self.setting("VAULTLET_USER_ASSERTION_FILE", path)
    }

    /// The user's token itself, in place of a file.
    pub fn user_assertion(mut self, token: impl Into<String>) -> Self {
        self.settings.user_assertion = Some(Arc::new(Zeroizing::new(token.into())));
        self.setting("VAULTLET_USER_ASSERTION_FILE", files::GIVEN)
    }

    /// Who tells a person what a source needs of them, as `device-code` a code to enter: called with
    /// one line of plain text at a time, on a thread that must not be kept. Without it such a source
    /// fails.
    pub fn on_prompt(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.settings.on_prompt = Some(Arc::new(tell));
        self
    }

    /// The cloud: `public`, `china` or `usgov`.
    pub fn cloud(self, cloud: impl Into<String>) -> Self {
        self.setting("VAULTLET_CLOUD", cloud)
    }

    /// How many calls run at once, 1 to 1,024; 64 unless set. More wait in line. A program that
    /// makes a single call starts faster with 1.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.settings.concurrency = Some(calls);
        self
    }

    /// Accept plain `http://` vaults on loopback, for tests.
    pub fn allow_http_loopback(self, allow: bool) -> Self {
        self.setting("VAULTLET_ALLOW_HTTP_LOOPBACK", allow.to_string())
    }

    /// The time that one call may take; 120 s unless set. At most a day.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.setting("VAULTLET_TIMEOUT", timeout.as_secs_f64().to_string())
    }

    /// [`Builder::timeout`] as text, in seconds, checked by [`Builder::open`].
    pub fn timeout_text(self, seconds: impl Into<String>) -> Self {
        self.setting("VAULTLET_TIMEOUT", seconds)
    }

    /// A PEM file whose certificates are trusted besides the built-in roots. May be repeated.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.ca_files.push(path.into());
        self
    }

    /// `HOST:PORT:ADDR[:PORT]`: connect there for that authority, with its name and certificate
    /// check unchanged. May be repeated.
    pub fn resolve(mut self, rule: impl Into<String>) -> Self {
        self.settings.overrides.push(rule.into());
        self
    }

    /// The settings that a person gave as flags of the program, by their flags without the dashes:
    /// an error about one of them names the flag, and is of kind `usage`.
    pub fn given_as_flags<S: AsRef<str>>(self, flags: &[S]) -> Self {
        let flags: Vec<_> = flags.iter().map(AsRef::as_ref).collect();
        self.setting(FLAGS, flags.join(","))
    }

    /// Read these variables instead of the process's environment, all of it.
    pub fn variables<K, V>(mut self, variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        let given = variables.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        self.settings.environment = Environment::Given(given);
        self
    }

    /// Run this component, WebAssembly of the world `vaultlet:keyvault/provider`, in place of the
    /// built-in one. It is given what its own plan asks for, within the egress policy.
    #[cfg(feature = "jit")]
    pub fn component(mut self, wasm: impl Into<Vec<u8>>) -> Self {
        self.settings.component = Some(wasm.into());
        self
    }

    /// Opens the handle: loads the component and reads settings, environment and certificates.
    /// No network. Takes about a millisecond; errors are of kind `configuration`, naming the
    /// setting.
    pub fn open(self) -> Result<Vaultlet, Error> {
        Vaultlet::open(self.settings)
    }

    fn setting(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.given.insert(name, value.into());
        self
    }
}
