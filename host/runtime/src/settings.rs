//! Settings of a handle: those set by the builder, else the environment's `VAULTLET_*` variables.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::{Error, Kind};
use crate::limits;
use crate::net::Override;

/// A function that is called with each line of text that a guest writes for people.
pub(crate) type OnLine = Arc<dyn Fn(&str) + Send + Sync>;

/// Where variables are read: in the process's environment, or in one that an embedder gave.
#[derive(Clone, Default)]
pub(crate) enum Environment {
    #[default]
    Process,
    Given(BTreeMap<String, String>),
}

impl Environment {
    /// The value of a variable. An empty value means unset, here as everywhere.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = match self {
            Self::Process => std::env::var(name).ok(),
            Self::Given(given) => given.get(name).cloned(),
        };
        value.filter(|v| !v.is_empty())
    }
}

/// What a handle was opened with.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) environment: Environment,
    /// `VAULTLET_*` settings from the builder, which take precedence over the environment's.
    pub(crate) given: BTreeMap<&'static str, String>,
    pub(crate) ca_files: Vec<PathBuf>,
    pub(crate) overrides: Vec<String>,
    /// How many calls run at once.
    pub(crate) concurrency: Option<usize>,
    /// Whether the process makes one call and ends.
    pub(crate) is_one_shot: bool,
    /// The content of the file `-`.
    pub(crate) user_assertion: Option<Arc<Zeroizing<String>>>,
    /// The listener for what a source must tell a person.
    pub(crate) on_prompt: Option<OnLine>,
    /// WebAssembly in place of the built-in component; set by the feature `jit` only.
    pub(crate) component: Option<Vec<u8>>,
}

/// The settings that the component reads. Each can be given by flag, variable or builder.
const COMPONENT_SETTINGS: [&str; 10] = [
    "VAULTLET_IDENTITY",
    "VAULTLET_EXCLUDE",
    "VAULTLET_CLIENT_ID",
    "VAULTLET_OBJECT_ID",
    "VAULTLET_RESOURCE_ID",
    "VAULTLET_CLOUD",
    "VAULTLET_ALLOW_HTTP_LOOPBACK",
    "VAULTLET_TIMEOUT",
    "VAULTLET_ADDITIONAL_TENANTS",
    "VAULTLET_USER_ASSERTION_FILE",
];

/// The variable that tells the component which settings came from flags; only an embedder sets it.
pub(crate) const FLAGS: &str = "VAULTLET_FLAGS";

impl Settings {
    pub(crate) fn get(&self, name: &'static str) -> Option<String> {
        self.given.get(name).cloned().or_else(|| self.environment.get(name))
    }

    /// The component's settings that are set, as variables.
    pub(crate) fn component_variables(&self) -> Vec<(String, String)> {
        let set = COMPONENT_SETTINGS.iter().filter_map(|n| Some(((*n).to_owned(), self.get(n)?)));
        let flags = self.given.get(FLAGS).map(|flags| (FLAGS.to_owned(), flags.clone()));
        set.chain(flags).collect()
    }

    /// An error about a setting: about the flag, if the setting came from one, else about `name`.
    fn malformed(&self, flag: &str, name: &str, what: &str, help: &str) -> Error {
        let flags = self.given.get(FLAGS).map_or("", String::as_str);
        if flags.split(',').any(|given| Some(given) == flag.strip_prefix("--")) {
            return Error::new(Kind::Usage, "usage", format!("reading `{flag}`: {what}"), help);
        }
        Error::configuration("setting-malformed", format!("reading `{name}`: {what}"), help)
    }

    pub(crate) fn concurrency(&self) -> usize {
        self.concurrency.map_or(limits::CONCURRENCY, |n| n.clamp(1, limits::CONCURRENCY_MAX))
    }

    /// The time that a call may take. A malformed setting is the component's to report: it reads the
    /// settings when a handle is opened.
    pub(crate) fn timeout(&self) -> Duration {
        let text = self.get("VAULTLET_TIMEOUT");
        let seconds = text.and_then(|text| text.parse::<f64>().ok());
        let seconds = seconds.filter(|seconds| *seconds > 0.0 && *seconds <= 86_400.0);
        seconds.map_or(limits::CALL, Duration::from_secs_f64)
    }

    pub(crate) fn ca_files(&self) -> Vec<(String, PathBuf)> {
        if self.ca_files.is_empty() {
            let name = "VAULTLET_CA_FILE";
            return self
                .environment
                .get(name)
                .map(|f| (name.into(), f.into()))
                .into_iter()
                .collect();
        }
        self.ca_files.iter().map(|f| ("--ca-file".into(), f.clone())).collect()
    }

    pub(crate) fn overrides(&self) -> Result<Vec<Override>, Error> {
        let from_environment = self.environment.get("VAULTLET_RESOLVE");
        let (origin, texts): (_, Vec<String>) = match from_environment {
            Some(text) if self.overrides.is_empty() => {
                ("VAULTLET_RESOLVE", text.split(',').map(|t| t.trim().to_owned()).collect())
            }
            _ => ("--resolve", self.overrides.clone()),
        };
        let parse = |text: &String| {
            text.parse().map_err(|()| {
                let what = format!("`{text}` is not `HOST:PORT:ADDR[:PORT]`");
                let help = "give a host, a port and an IP address, such as `my.vault.azure.net:443:10.0.0.4`";
                self.malformed("--resolve", origin, &what, help)
            })
        };
        texts.iter().map(parse).collect()
    }

    /// `HTTPS_PROXY` and `NO_PROXY`, in either case. `HTTP_PROXY` is not read.
    pub(crate) fn proxy(&self) -> Result<hyper_util::client::proxy::matcher::Matcher, Error> {
        let either = |upper: &str, lower: &str| {
            let get = |name: &str| self.environment.get(name).map(|v| (name.to_owned(), v));
            get(upper).or_else(|| get(lower))
        };
        let mut builder = hyper_util::client::proxy::matcher::Matcher::builder();
        if let Some((name, url)) = either("HTTPS_PROXY", "https_proxy") {
            let target = if url.contains("://") { url.clone() } else { format!("http://{url}") };
            let usable = target.parse::<::http::Uri>().is_ok_and(|u| {
                u.scheme_str() == Some("http") && u.host().is_some_and(|h| !h.is_empty())
            });
            if !usable {
                return Err(Error::configuration(
                    "setting-malformed",
                    // The value may hold a password and is not quoted.
                    format!("reading `{name}`: its value is not the URL of an HTTP proxy"),
                    "give `http://host:port`, or unset it",
                ));
            }
            builder = builder.https(url);
        }
        if let Some((_, list)) = either("NO_PROXY", "no_proxy") {
            builder = builder.no(list);
        }
        Ok(builder.build())
    }
}
