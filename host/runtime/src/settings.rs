//! Settings of a handle: those set by the builder, else the environment's `VAULTLET_*` variables.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::{Error, Kind};
use crate::file;
use crate::limits;
use crate::net::{Direct, Override, Proxies, Proxy};
use crate::system::files;

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
    /// The value of a variable as it is. An empty value means unset, here as everywhere.
    pub(crate) fn value(&self, name: &str) -> Option<OsString> {
        let value = match self {
            Self::Process => std::env::var_os(name),
            Self::Given(given) => given.get(name).map(OsString::from),
        };
        value.filter(|value| !value.is_empty())
    }

    /// All variables, with empty values, too.
    pub(crate) fn all(&self) -> BTreeMap<OsString, OsString> {
        match self {
            Self::Process => std::env::vars_os().collect(),
            Self::Given(given) => given.iter().map(|(k, v)| (k.into(), v.into())).collect(),
        }
    }

    /// The value of a variable as text. One that is not UTF-8 is malformed, never unset.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Error> {
        let text = self.value(name).map(OsString::into_string).transpose();
        text.map_err(|_| {
            Error::configuration(
                "setting-malformed",
                format!("reading `{name}`: its value is not UTF-8"),
                "correct or unset it",
            )
        })
    }

    /// The value of a variable, without the white space around it; `None` if nothing is left.
    pub(crate) fn trimmed(&self, name: &str) -> Result<Option<String>, Error> {
        let text = self.text(name)?;
        Ok(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
    }

    /// The value of a variable that holds a path, which may have any bytes.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.value(name).and_then(|value| file::trimmed(&value))
    }

    /// The value of a variable for the component, which knows text alone: a path that is not UTF-8 is
    /// shown with escapes, and [`Environment::path_of`] finds it again.
    pub(crate) fn for_component(&self, name: &str) -> Result<Option<String>, Error> {
        let value = self.value(name).filter(|value| value.to_str().is_none() && holds_path(name));
        match value {
            Some(value) => Ok(Some(escaped(&value))),
            None => self.text(name),
        }
    }

    /// The path that a text of the component stands for.
    pub(crate) fn path_of(&self, text: &str) -> PathBuf {
        if !matches!(self, Self::Process) || !text.contains(ESCAPE) {
            return text.into();
        }
        let found = std::env::vars_os().find_map(|(name, value)| {
            let is_path = value.to_str().is_none() && name.to_str().is_some_and(holds_path);
            let rest = is_path.then(|| text.strip_prefix(escaped(&value).as_str())).flatten()?;
            let whole = file::trimmed(&value)?;
            let below = rest.strip_prefix('/');
            (rest.is_empty() || below.is_some())
                .then(|| below.map_or(whole.clone(), |b| whole.join(b)))
        });
        found.unwrap_or_else(|| text.into())
    }
}

/// What a byte of a path that is not UTF-8 begins with, as the component sees it.
const ESCAPE: &str = "\\x";

fn escaped(path: &OsStr) -> String {
    files::bytes(path).trim_ascii().escape_ascii().to_string()
}

/// Whether a variable of this name holds a path.
fn holds_path(name: &str) -> bool {
    ["_FILE", "_PATH", "_FOLDER"].iter().any(|ending| name.ends_with(ending))
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
    /// Requests a second to one vault, if there is a limit.
    pub(crate) rate: Option<NonZeroU32>,
    /// Whether the process makes one call and ends.
    pub(crate) is_one_shot: bool,
    /// Whether connecting to a vault begins before there is a token.
    pub(crate) connects_early: bool,
    /// The content of the file `-`.
    pub(crate) user_assertion: Option<Arc<Zeroizing<String>>>,
    /// The listener for what a source must tell a person.
    pub(crate) on_prompt: Option<OnLine>,
    /// The file of the policy.
    pub(crate) policy: Option<PathBuf>,
    /// Whether whoever has the handle checks a policy itself.
    pub(crate) is_unguarded: bool,
    /// The program that the secrets are for, if it is not this one.
    pub(crate) program: Option<PathBuf>,
    /// WebAssembly in place of the built-in component; set by the feature `jit` only.
    pub(crate) component: Option<Vec<u8>>,
}

/// The settings that the component reads in every role. Each of ours can be given by flag, variable or
/// builder; the last one says which cloud a vault's name belongs to.
const COMPONENT_SETTINGS: [&str; 12] = [
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
    "VAULTLET_ALLOW_HTTP_IDENTITY",
    "AZURE_AUTHORITY_HOST",
];

/// The variable that tells the component which settings came from flags; only an embedder sets it.
pub(crate) const FLAGS: &str = "VAULTLET_FLAGS";

impl Settings {
    fn get(&self, name: &'static str) -> Result<Option<String>, Error> {
        match self.given.get(name) {
            Some(given) => Ok(Some(given.clone())),
            None => self.environment.for_component(name),
        }
    }

    /// A setting of the host alone, whatever its bytes. One that was given empty is not looked for in the
    /// environment.
    pub(crate) fn of_host(&self, name: &'static str) -> Option<OsString> {
        let given = self.given.get(name).map(OsString::from);
        given.or_else(|| self.environment.value(name)).filter(|value| !value.is_empty())
    }

    /// A setting of the host alone that is a path.
    pub(crate) fn path_of_host(&self, name: &'static str) -> Option<PathBuf> {
        self.of_host(name).and_then(|value| file::trimmed(&value))
    }

    /// The component's settings that are set, as variables.
    pub(crate) fn component_variables(&self) -> Result<Vec<(String, String)>, Error> {
        let mut variables = Vec::new();
        for name in COMPONENT_SETTINGS {
            variables.extend(self.get(name)?.map(|value| (name.to_owned(), value)));
        }
        variables.extend(self.given.get(FLAGS).map(|flags| (FLAGS.to_owned(), flags.clone())));
        Ok(variables)
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
        let text = self.get("VAULTLET_TIMEOUT").ok().flatten();
        let seconds = text.and_then(|text| text.trim().parse::<f64>().ok());
        let seconds = seconds.filter(|seconds| *seconds > 0.0 && *seconds <= 86_400.0);
        seconds.map_or(limits::CALL, Duration::from_secs_f64)
    }

    /// The file of the policy that every secret is checked against.
    pub(crate) fn policy(&self) -> Option<PathBuf> {
        if self.is_unguarded {
            return None;
        }
        let given = self.policy.as_ref().and_then(|path| file::trimmed(path.as_os_str()));
        given.or_else(|| self.environment.path("VAULTLET_POLICY"))
    }

    pub(crate) fn ca_files(&self) -> Vec<(String, PathBuf)> {
        if self.ca_files.is_empty() {
            let name = "VAULTLET_CA_FILE";
            return self.environment.path(name).map(|f| (name.into(), f)).into_iter().collect();
        }
        let given = self.ca_files.iter();
        given
            .map(|f| ("--ca-file".into(), file::trimmed(f.as_os_str()).unwrap_or_default()))
            .collect()
    }

    pub(crate) fn overrides(&self) -> Result<Vec<Override>, Error> {
        let from_environment = self.environment.trimmed("VAULTLET_RESOLVE")?;
        let (origin, texts): (_, Vec<String>) = match from_environment {
            Some(text) if self.overrides.is_empty() => {
                ("VAULTLET_RESOLVE", text.split(',').map(str::to_owned).collect())
            }
            _ => ("--resolve", self.overrides.clone()),
        };
        let parse = |text: &String| {
            let text = text.trim();
            text.parse().map_err(|()| {
                let text = text.escape_debug();
                let what = format!("`{text}` is not `HOST:PORT:ADDR[:PORT]`");
                let help = "give a host, a port and an IP address, such as `my.vault.azure.net:443:10.0.0.4`";
                self.malformed("--resolve", origin, &what, help)
            })
        };
        texts.iter().map(parse).collect()
    }

    /// The variables that name a proxy and the servers without one, in either case. `HTTP_PROXY` is not
    /// read.
    pub(crate) fn proxies(&self) -> Result<Proxies, Error> {
        let first = |names: &[&'static str]| {
            for name in names {
                if let Some(value) = self.environment.trimmed(name)? {
                    return Ok(Some((*name, Zeroizing::new(value))));
                }
            }
            Ok::<_, Error>(None)
        };
        let mut proxies = Proxies::default();
        if let Some((_, list)) = first(&["NO_PROXY", "no_proxy"])? {
            proxies.direct = Direct::parse(&list);
        }
        if let Some((name, url)) = first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])?
        {
            let proxy = Proxy::parse(&url).map_err(|why| {
                Error::configuration(
                    "setting-malformed",
                    // The value may hold a password and is not quoted.
                    format!("reading `{name}`: its value is not the URL of an HTTP proxy: {why}"),
                    "give `http://host:port`, or unset it",
                )
            })?;
            proxies.proxy = Some(proxy);
        }
        Ok(proxies)
    }
}
