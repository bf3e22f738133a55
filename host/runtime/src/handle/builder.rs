//! Settings of a handle, and how it is opened.

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::agent;
use crate::error::Error;
use crate::internal::files;
use crate::settings::{Environment, FLAGS, Settings};

use super::vaultlet::Vaultlet;

/// Settings of a [`Vaultlet`] that is not open yet; see [`Vaultlet::builder`].
///
/// A setting that is not made here comes from the environment: the `VAULTLET_*` variables of the
/// command line, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, `SSL_CERT_FILE` and, for the credentials,
/// exactly the variables that the component's plan names. White space around a value does not count,
/// and a value that is not UTF-8 is an error, unless it is a path.
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

impl Vaultlet {
    /// Starts a builder whose settings come from the environment.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// The sources of credentials to try, in order, separated by commas. `auto` is the default; the
    /// labels are those of the command line's `--identity`.
    pub fn identity(self, labels: impl Into<String>) -> Self {
        self.setting("VAULTLET_IDENTITY", labels)
    }

    /// Sources to leave out of the chain, separated by commas.
    pub fn exclude(self, labels: impl Into<String>) -> Self {
        self.setting("VAULTLET_EXCLUDE", labels)
    }

    /// The user-assigned managed identity to use, by client id.
    pub fn client_id(self, id: impl Into<String>) -> Self {
        self.setting("VAULTLET_CLIENT_ID", id)
    }

    /// The user-assigned managed identity to use, by object id.
    pub fn object_id(self, id: impl Into<String>) -> Self {
        self.setting("VAULTLET_OBJECT_ID", id)
    }

    /// The user-assigned managed identity to use, by Azure resource id.
    pub fn resource_id(self, id: impl Into<String>) -> Self {
        self.setting("VAULTLET_RESOURCE_ID", id)
    }

    /// Tenants besides the configured one that tokens may be requested from, separated by
    /// semicolons; `*` allows all tenants.
    pub fn additional_tenants(self, tenants: impl Into<String>) -> Self {
        self.setting("VAULTLET_ADDITIONAL_TENANTS", tenants)
    }

    /// The file with the token of the user on whose behalf the source `on-behalf-of` requests
    /// tokens. The file is read again each time it is needed, and may have 64 KiB. `-` means the
    /// text of [`Builder::user_assertion`].
    pub fn user_assertion_file(self, path: impl Into<String>) -> Self {
        self.setting("VAULTLET_USER_ASSERTION_FILE", path)
    }

    /// The user's token itself, in place of [`Builder::user_assertion_file`].
    pub fn user_assertion(mut self, token: impl Into<String>) -> Self {
        self.settings.user_assertion = Some(Arc::new(Zeroizing::new(token.into())));
        self.setting("VAULTLET_USER_ASSERTION_FILE", files::GIVEN)
    }

    /// Calls this function when a source needs a person to do something, as `device-code` needs a
    /// code to be entered. The function gets one line of plain text at a time, on a thread that it
    /// must not block. Without a function such a source fails.
    pub fn on_prompt(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.settings.on_prompt = Some(Arc::new(tell));
        self
    }

    /// The Azure cloud: `public`, `china` or `usgov`.
    pub fn cloud(self, cloud: impl Into<String>) -> Self {
        self.setting("VAULTLET_CLOUD", cloud)
    }

    /// How many calls run at once, 1 to 1,024; the default is 64. Further calls wait. A program that
    /// makes a single call starts faster with 1, and needs less memory.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.settings.concurrency = Some(calls);
        self
    }

    /// Requests a second to one vault, those of the component's retries included, with a burst of as many; 0 means no
    /// limit, which is the default. With a limit, a vault that asks for time (`Retry-After`) or throttles is left alone
    /// by every call of this handle, and a call that would have to wait for longer than it may take fails as throttled.
    pub fn rate(mut self, requests: u32) -> Self {
        self.settings.rate = NonZeroU32::new(requests);
        self
    }

    /// For a program of its own that makes one call and ends: the timer of the process
    /// (`SIGVTALRM`) watches over the component, in place of a thread. There may be one such handle.
    #[doc(hidden)]
    pub fn one_shot(mut self) -> Self {
        self.settings.is_one_shot = true;
        self
    }

    /// Begins to connect to a vault while its token is fetched: for a program that reads its first secret now.
    #[doc(hidden)]
    pub fn connect_early(mut self) -> Self {
        self.settings.connects_early = true;
        self
    }

    /// Whether to accept plain `http://` vaults on loopback, for tests.
    pub fn allow_http_loopback(self, allow: bool) -> Self {
        self.setting("VAULTLET_ALLOW_HTTP_LOOPBACK", allow.to_string())
    }

    /// Hosts, separated by commas, at which an identity endpoint may be plain `http://`: services
    /// beside this one on a private network. Their addresses must be private ones or of loopback.
    pub fn allow_http_identity(self, hosts: impl Into<String>) -> Self {
        self.setting("VAULTLET_ALLOW_HTTP_IDENTITY", hosts)
    }

    /// The agent that secrets come from: `unix:PATH`, or `http://127.0.0.1:PORT` with
    /// [`Builder::agent_token_file`]. Without this it is that of `VAULTLET_AGENT`; an empty text means none, whatever
    /// the environment says.
    pub fn agent(self, place: impl Into<String>) -> Self {
        self.setting(agent::PLACE, place)
    }

    /// The file with the token for an agent on a port. The file is read again each time it is needed.
    pub fn agent_token_file(self, path: impl Into<String>) -> Self {
        self.setting(agent::TOKEN_FILE, path)
    }

    /// What is done when the agent is not there or talks nonsense: `none` (the default), which is an error, or
    /// `direct`, which asks the vault. What the agent refuses is an error either way.
    pub fn agent_fallback(self, fallback: impl Into<String>) -> Self {
        self.setting(agent::FALLBACK, fallback)
    }

    /// The time that one call may take; the default is 120 s, the maximum one day.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.setting("VAULTLET_TIMEOUT", timeout.as_secs_f64().to_string())
    }

    /// [`Builder::timeout`] as text, in seconds. [`Builder::open`] checks the text.
    pub fn timeout_text(self, seconds: impl Into<String>) -> Self {
        self.setting("VAULTLET_TIMEOUT", seconds)
    }

    /// A PEM file whose CA certificates are trusted in addition to the built-in roots. May be
    /// called more than once.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.ca_files.push(path.into());
        self
    }

    /// A rule `HOST:PORT:ADDR[:PORT]`: connect to this address instead of the host's. The
    /// certificate is still checked against the host name. May be called more than once.
    pub fn resolve(mut self, rule: impl Into<String>) -> Self {
        self.settings.overrides.push(rule.into());
        self
    }

    /// The file of the policy that says which secrets may be read, and of the audit. Without one, and without
    /// `VAULTLET_POLICY`, every secret may be read that the identity may read.
    pub fn policy(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.policy = Some(path.into());
        self
    }

    /// The program that the secrets are for, with all links resolved, where that is not this process's own: a policy's
    /// `program` is compared with it.
    #[doc(hidden)]
    pub fn for_program(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.program = Some(path.into());
        self
    }

    /// Reads no policy: whoever has the handle checks one itself, for those who ask it.
    #[doc(hidden)]
    pub fn unguarded(mut self) -> Self {
        self.settings.is_unguarded = true;
        self
    }

    /// Says which settings a person gave as flags of the program, each by its flag without the
    /// dashes. An error about one of them names the flag, and is of kind `usage`.
    pub fn given_as_flags<S: AsRef<str>>(self, flags: &[S]) -> Self {
        let flags: Vec<_> = flags.iter().map(AsRef::as_ref).collect();
        self.setting(FLAGS, flags.join(","))
    }

    /// Reads these variables in place of the process's whole environment.
    pub fn variables<K, V>(mut self, variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        let given = variables.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        self.settings.environment = Environment::Given(given);
        self
    }

    /// Runs this component in place of the built-in one: WebAssembly of the world
    /// `vaultlet:keyvault/provider`. The component is granted what its own plan asks for, within
    /// the egress policy.
    #[cfg(feature = "jit")]
    pub fn component(mut self, wasm: impl Into<Vec<u8>>) -> Self {
        self.settings.component = Some(wasm.into());
        self
    }

    /// Opens the handle: loads the component, and reads settings, environment and certificates. No
    /// network. With an agent the component is loaded when it is needed.
    ///
    /// Opening takes about a millisecond. Errors are of kind
    /// [`Configuration`](crate::Kind::Configuration) and name the setting.
    pub fn open(self) -> Result<Vaultlet, Error> {
        Vaultlet::open(self.settings)
    }

    fn setting(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.given.insert(name, value.into());
        self
    }
}
